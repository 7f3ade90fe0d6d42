import { readDays, readHours, readMonths } from '../../../src/config/schedule/window-types.ts';
import type { AvailabilityRule } from '../../../src/domain/schedule/availability.ts';
import { MONTHS, WEEKDAYS } from '../../../src/domain/schedule/window.ts';

/** A rule as an owner writes it. */
export type WrittenRule = {
  readonly days?: string;
  readonly hours?: string;
  readonly months?: string;
  readonly available: boolean;
  readonly gpus?: readonly string[];
  readonly note?: string;
  readonly number?: number;
};

export function rule({
  available,
  days,
  gpus,
  hours,
  months,
  note,
  number = 1,
}: WrittenRule): AvailabilityRule {
  return {
    number,
    window: {
      days: days === undefined ? new Set(WEEKDAYS.keys()) : readDays([days]),
      hours: hours === undefined ? [] : readHours([hours]),
      months: months === undefined ? new Set(MONTHS.keys()) : readMonths([months]),
    },
    available,
    gpus,
    note,
  };
}
