import { z } from 'zod';

/** At most so many points are read of each GPU. */
export const MAX_POINTS = 1_500;

/** So many rows are read in one go: about a millisecond. */
const BATCH = 500;

/** A time from `fromMs` on and before `toMs`, by the wall clock. */
export type Interval = { readonly fromMs: number; readonly toMs: number };

/** The means of a GPU's figures over a step; null: not known at any time. */
export type RollupPoint = {
  /** Where the step begins, in milliseconds of the wall clock. */
  readonly at: number;
  readonly utilizationPercent: number | null;
  readonly memoryUsedMiB: number | null;
  readonly temperatureC: number | null;
  readonly powerW: number | null;
};

/** How long a step has to be, in whole spans, so that no more than `MAX_POINTS` are needed. Pure. */
export function stepFor({ fromMs, toMs }: Interval, spanMs: number): number {
  // Steps begin at whole multiples of their length, so an interval may touch one more than fit into it.
  const spans = Math.ceil((toMs - fromMs) / spanMs);
  return Math.max(Math.ceil(spans / (MAX_POINTS - 1)), 1) * spanMs;
}

/** The parts of an interval, on whole steps, that are read in one go. Pure. */
export function* batches({ fromMs, toMs }: Interval, stepMs: number, spanMs: number): Generator<Interval> {
  const batchMs = Math.max(Math.floor((BATCH * spanMs) / stepMs), 1) * stepMs;
  for (let from = Math.floor(fromMs / stepMs) * stepMs; from < toMs; from += batchMs)
    yield { fromMs: Math.max(from, fromMs), toMs: Math.min(from + batchMs, toMs) };
}

/** The names of GPUs in a table, each found through the index of (gpu, start). */
export const gpusIn = (table: string): string => `WITH RECURSIVE known (gpu) AS (
    SELECT min(gpu) FROM ${table}
    UNION ALL SELECT (SELECT min(gpu) FROM ${table} WHERE gpu > known.gpu) FROM known WHERE known.gpu IS NOT NULL)
  SELECT gpu FROM known WHERE gpu IS NOT NULL`;

/** The points of one GPU in an interval; takes the step, the GPU and both ends. Numbers are bound as floating point. */
export const pointsIn = (table: string): string => `SELECT start - start % CAST(?1 AS INTEGER) AS at,
    ${mean('utilization')} AS utilizationPercent, ${mean('memory')} AS memoryUsedMiB,
    ${mean('temperature')} AS temperatureC, ${mean('power')} AS powerW
  FROM ${table} WHERE gpu = ?2 AND start >= ?3 AND start < ?4 GROUP BY at ORDER BY at`;

/** Integrals are in seconds. SQLite’s division by zero is null. */
function mean(figure: string): string {
  return `sum(${figure}_integral) * 1000.0 / sum(${figure}_known_ms)`;
}

const FIGURE = z.number().nullable();

export const gpuRows = z.array(z.object({ gpu: z.string() }));
export const pointRows = z.array(
  z.object({
    at: z.number(),
    utilizationPercent: FIGURE,
    memoryUsedMiB: FIGURE,
    temperatureC: FIGURE,
    powerW: FIGURE,
  }),
);
