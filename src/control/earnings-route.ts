import { z } from 'zod';
import type { Agent } from '../agent/agent.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Call, type Route, route } from '../control-api/route.ts';
import { EARNINGS_BY, type EarningsBy } from '../domain/earnings.ts';
import { AgentError } from '../domain/errors.ts';
import { daysBefore, localDayOf, startOfDay } from '../domain/local-day.ts';
import type { Clock } from '../domain/ports/clock.ts';
import { hostTimeZone } from '../host/time-zone.ts';
import type { EarningsQuery } from '../journal/earnings.ts';
import type { DayEarnings } from '../journal/ledger.ts';
import type { SqliteJournal } from '../journal/sqlite-journal.ts';
import { inSlices } from '../lib/slices.ts';
import { dollars } from '../pricing/money.ts';
import { byName } from './history-route.ts';
import { dayIn, numberIn } from './query.ts';

const DEFAULT_DAYS = 30;
const MAX_DAYS = 730;
const BY = z.enum(EARNINGS_BY);

export type EarningsParts = {
  readonly agent: { readonly overview: Pick<Agent['overview'], 'nameOf'> };
  readonly journal: Pick<SqliteJournal, 'ledger'>;
  readonly clock: Pick<Clock, 'now'>;
};

/** What jobs have earned and cost: day by day with each GPU, and in sums by what is asked for. */
export function earningsRoute({ agent, clock, journal }: EarningsParts): Route {
  const nameOf = (gpu: string): string => {
    const name = agent.overview.nameOf(gpu);
    // A GPU that is not here any more.
    return name === gpu ? journal.ledger.nameOf(gpu) : name;
  };
  return route(ENDPOINTS.earnings, async (call) => {
    const now = clock.now();
    const query = queryOf(call, now);
    const found = await inSlices(journal.ledger.byGpu(daysBefore(startOfDay(query.from), 1), query.until));
    const { idle, rows, total } = await inSlices(journal.ledger.report(query));
    const byDay = Map.groupBy(found, ({ day }) => day);
    return {
      timeZone: zoneName(),
      today: localDayOf(now),
      days: [...byDay].map(([day, gpus]) => ({
        day,
        since: startOfDay(day),
        ...sumOf(gpus),
        gpus: gpus.map((one) => ({ gpu: one.gpu, name: nameOf(one.gpu), ...sumOf([one]) })).toSorted(byName),
      })),
      ...query,
      rows: rows.map(({ key, ...sums }) => ({
        key,
        name: query.by === 'gpu' && key !== null ? nameOf(key) : (key ?? 'others'),
        ...sums,
      })),
      total,
      idle,
    };
  });
}

/** The days of a host without a time zone are those of UTC. */
export function zoneName(): string {
  return hostTimeZone()?.name ?? 'UTC';
}

/** Throws CONTROL_INVALID. */
function queryOf(call: Call<unknown>, now: number): EarningsQuery {
  const days = numberIn(call, 'days', 1, MAX_DAYS) ?? DEFAULT_DAYS;
  const until = dayIn(call, 'until') ?? localDayOf(now);
  const from = dayIn(call, 'from') ?? daysBefore(startOfDay(until), days - 1);
  if (from > until) throw new AgentError('CONTROL_INVALID', 'from has to be no later than until');
  return { from, until, by: byIn(call) };
}

/** Throws CONTROL_INVALID. */
function byIn({ query }: Call<unknown>): EarningsBy {
  const by = BY.safeParse(query.get('by') ?? 'day');
  if (by.success) return by.data;
  throw new AgentError('CONTROL_INVALID', `by has to be one of ${EARNINGS_BY.join(', ')}`);
}

/** Summed as integers, so that a total is the sum of its parts. */
function sumOf(parts: readonly DayEarnings[]): { readonly earned: number; readonly jobs: number } {
  const microDollars = parts.reduce((sum, part) => sum + part.microDollars, 0);
  return { earned: dollars(microDollars), jobs: parts.reduce((sum, { jobs }) => sum + jobs, 0) };
}
