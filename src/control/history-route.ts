import type { Agent } from '../agent/agent.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Call, type Route, route } from '../control-api/route.ts';
import { AgentError } from '../domain/errors.ts';
import type { Clock } from '../domain/ports/clock.ts';
import { KEEP_HOURS_MS, KEEP_MINUTES_MS } from '../journal/gpu-rollups.ts';
import type { Interval, RollupPoint } from '../journal/rollup-points.ts';
import type { SqliteJournal } from '../journal/sqlite-journal.ts';
import { inSlices } from '../lib/slices.ts';
import { instantIn } from './query.ts';

const HOUR_MS = 3_600_000;

export type HistoryParts = {
  readonly agent: { readonly overview: Pick<Agent['overview'], 'nameOf'> };
  readonly journal: Pick<SqliteJournal, 'gpuRollups'>;
  readonly clock: Pick<Clock, 'now'>;
};

/** The use of GPUs over time. */
export function historyRoute({ agent, clock, journal }: HistoryParts): Route {
  return route(ENDPOINTS.history, async (call) => {
    const now = clock.now();
    const interval = intervalOf(call, now);
    const span = spanOf(interval, now);
    const { gpus, stepMs } = await inSlices(journal.gpuRollups.points(span, interval));
    const named = [...gpus].map(([gpu, points]) => ({
      gpu,
      name: agent.overview.nameOf(gpu),
      points: points.map(rounded),
    }));
    return { span, stepMs, gpus: named.toSorted(byName) };
  });
}

/** To hundredths: what stands behind them is a third of the answer, and nobody reads it. */
function rounded({ at, ...means }: RollupPoint): RollupPoint {
  const round = (mean: number | null): number | null => mean && Math.round(mean * 100) / 100;
  return {
    at,
    utilizationPercent: round(means.utilizationPercent),
    memoryUsedMiB: round(means.memoryUsedMiB),
    temperatureC: round(means.temperatureC),
    powerW: round(means.powerW),
  };
}

/** Minutes as long as they are kept; somebody who asks for the last two days asks a moment later. */
function spanOf({ fromMs, toMs }: Interval, now: number): 'minute' | 'hour' {
  const isShort = toMs - fromMs <= KEEP_MINUTES_MS;
  return isShort && fromMs >= now - KEEP_MINUTES_MS - HOUR_MS ? 'minute' : 'hour';
}

/** Throws CONTROL_INVALID. */
function intervalOf(call: Call<unknown>, now: number): Interval {
  const toMs = instantIn(call, 'to') ?? now;
  const fromMs = instantIn(call, 'from') ?? toMs - HOUR_MS;
  const lengthMs = toMs - fromMs;
  // A leap day and a change of the clocks more than what is kept.
  if (lengthMs > 0 && lengthMs <= KEEP_HOURS_MS + 48 * HOUR_MS) return { fromMs, toMs };
  throw new AgentError('CONTROL_INVALID', '`to` has to be after `from`, and at most two years after it');
}

/** GPU 2 before GPU 10. Pure. */
export function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name.localeCompare(b.name, 'en', { numeric: true });
}
