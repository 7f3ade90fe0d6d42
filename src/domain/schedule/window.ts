import type { CalendarDay, WallTime } from './zone.ts';

/** The days of a week, Monday first. */
export const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;

/** The months of a year. */
export const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
] as const;

/** The last minute of a day, which as the end of a range is 24:00. */
export const DAY_MINUTES = 1_440;

/** From `from` (0 to 1439) up to `to` (1 to 1440), in minutes of the day; `to` below `from` is on the next day. */
export type HourRange = { readonly from: number; readonly to: number };

/**
 * A time that comes back: these hours of these days in these months. What is after midnight belongs to the day on which it
 * began. The clock on the wall decides: an hour that is repeated is in the window twice, one that is skipped is not.
 */
export type Window = {
  /** From 0 (Monday) to 6. */
  readonly days: ReadonlySet<number>;
  /** Empty: the whole day. */
  readonly hours: readonly HourRange[];
  /** From 0 (January) to 11. */
  readonly months: ReadonlySet<number>;
};

/** Whether a window has a time in it. */
export function covers(window: Window, { minute, previous, today }: WallTime): boolean {
  const isToday = hasDay(window, today);
  if (window.hours.length === 0) return isToday;
  const wasBefore = hasDay(window, previous);
  return window.hours.some(({ from, to }) =>
    from < to
      ? isToday && minute >= from && minute < to
      : (isToday && minute >= from) || (wasBefore && minute < to),
  );
}

function hasDay({ days, months }: Window, { month, weekday }: CalendarDay): boolean {
  return days.has(weekday) && months.has(month);
}

/** The minutes of a day at which a window may begin or end. */
export function edgesOf(windows: readonly Window[]): readonly number[] {
  const edges = windows.flatMap(({ hours }) => hours.flatMap(({ from, to }) => [from, to % DAY_MINUTES]));
  return [...new Set([0, ...edges])].sort((a, b) => a - b);
}

/** A window in its own grammar: `mon-fri 22:00-07:00 oct-mar`. */
export function windowText({ days, hours, months }: Window): string {
  const parts = [
    ...(days.size === WEEKDAYS.length ? [] : [ranges(days, WEEKDAYS)]),
    ...(hours.length === 0 ? [] : [hours.map(rangeText).join(',')]),
    ...(months.size === MONTHS.length ? [] : [ranges(months, MONTHS)]),
  ];
  return parts.length === 0 ? 'at all times' : parts.join(' ');
}

function rangeText({ from, to }: HourRange): string {
  return `${clockText(from)}-${clockText(to)}`;
}

function clockText(minute: number): string {
  return [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':');
}

/** The members of a circle as ranges, which may go past its end: `fri-mon`, `oct-mar`. */
function ranges(members: ReadonlySet<number>, names: readonly string[]): string {
  const { length } = names;
  const starts = names.flatMap((_, at) =>
    members.has(at) && !members.has((at + length - 1) % length) ? [at] : [],
  );
  return starts
    .map((start) => {
      let end = start;
      while (members.has((end + 1) % length) && (end + 1) % length !== start) end = (end + 1) % length;
      const [first, last] = [start, end].map((at) => names[at]?.slice(0, 3));
      const apart = (end - start + length) % length;
      return apart === 0 ? first : `${first}${apart === 1 ? ',' : '-'}${last}`;
    })
    .join(',');
}
