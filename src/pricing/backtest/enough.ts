import { AgentError } from '../../domain/errors.ts';
import type { Observed } from './observed.ts';

const DAY_MS = 86_400_000;
const MIN_COVERAGE = 0.5;
const MIN_JOBS = 20;

/** How much is known. Times are milliseconds since the epoch. */
export type Known = {
  readonly observed: Pick<Observed, 'from' | 'until' | 'own'>;
  readonly knownFrom: number;
  readonly coveredMs: number;
};

/** Throws BACKTEST_TOO_LITTLE with what helps. */
export function checkEnough({ coveredMs, knownFrom, observed: { from, own, until } }: Known): void {
  const knownMs = until - Math.max(knownFrom, from);
  if (!(knownMs >= DAY_MS))
    throw new AgentError(
      'BACKTEST_TOO_LITTLE',
      `the market history is ${hours(Math.max(knownMs, 0))} old, and a backtest needs a day`,
      { hint: `ask again after ${new Date(until + DAY_MS - Math.max(knownMs, 0)).toISOString()}` },
    );
  const coverage = coveredMs / (until - from);
  if (!(coverage >= MIN_COVERAGE))
    throw new AgentError(
      'BACKTEST_TOO_LITTLE',
      `the market was looked at in ${Math.floor(coverage * 100)} % of the time, and a backtest needs 50 %`,
      { hint: hintFor(Math.floor(knownMs / DAY_MS), Math.round((until - from) / DAY_MS)) },
    );
  const jobs = own.filter((job) => job.from >= from && job.from < until).length;
  if (jobs < MIN_JOBS)
    throw new AgentError(
      'BACKTEST_TOO_LITTLE',
      `this offer has ${jobs} jobs of its own in the time, and a backtest needs ${MIN_JOBS}`,
      { hint: 'ask for more days, or again after more jobs' },
    );
}

/** Fewer days help only where the agent has looked at most of them. */
function hintFor(known: number, asked: number): string {
  return known < asked
    ? `ask for the days that are known: --days ${Math.max(1, known)}`
    : 'keep the agent running and online: it looks at the market once a minute';
}

function hours(ms: number): string {
  return `${Math.floor(ms / 3_600_000)} hours`;
}
