import type { Agent } from '../agent/agent.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Route, route } from '../control-api/route.ts';
import { daysBefore, localDayOf, startOfDay } from '../domain/local-day.ts';
import type { Clock } from '../domain/ports/clock.ts';
import { hostTimeZone } from '../host/time-zone.ts';
import type { DayEarnings } from '../journal/ledger.ts';
import type { SqliteJournal } from '../journal/sqlite-journal.ts';
import { inSlices } from '../lib/slices.ts';
import { byName } from './history-route.ts';
import { numberIn } from './query.ts';

const DEFAULT_DAYS = 30;
const MAX_DAYS = 730;
const MICRO_DOLLARS = 1_000_000;

export type EarningsParts = {
  readonly agent: { readonly overview: Pick<Agent['overview'], 'nameOf'> };
  readonly journal: Pick<SqliteJournal, 'ledger'>;
  readonly clock: Pick<Clock, 'now'>;
};

/** What jobs have earned, day by day. */
export function earningsRoute({ agent, clock, journal }: EarningsParts): Route {
  return route(ENDPOINTS.earnings, async (call) => {
    const days = numberIn(call, 'days', 1, MAX_DAYS) ?? DEFAULT_DAYS;
    const now = clock.now();
    const today = localDayOf(now);
    const found = await inSlices(journal.ledger.byGpu(daysBefore(now, days), today));
    const byDay = Map.groupBy(found, ({ day }) => day);
    return {
      // The days of a host without one are those of UTC.
      timeZone: hostTimeZone()?.name ?? 'UTC',
      today,
      days: [...byDay].map(([day, gpus]) => ({
        day,
        since: startOfDay(day),
        ...sumOf(gpus),
        gpus: gpus
          .map((one) => ({ gpu: one.gpu, name: agent.overview.nameOf(one.gpu), ...sumOf([one]) }))
          .toSorted(byName),
      })),
    };
  });
}

/** Summed as integers, so that a total is the sum of its parts. */
function sumOf(parts: readonly DayEarnings[]): { readonly earned: number; readonly jobs: number } {
  const microDollars = parts.reduce((sum, part) => sum + part.microDollars, 0);
  return { earned: microDollars / MICRO_DOLLARS, jobs: parts.reduce((sum, { jobs }) => sum + jobs, 0) };
}
