/** The share of a function's jobs that are expected to take no longer. */
const QUANTILE = 0.8;

/**
 * How long a job of a function is expected to take: the 80th percentile (nearest rank) of how long its latest jobs took
 * here, or the job timeout where none is known; never longer than that. All in milliseconds. Pure.
 */
export function expectedDurationMs(durationsMs: readonly number[], jobTimeoutMs: number): number {
  const sorted = durationsMs.toSorted((a, b) => a - b);
  const rank = sorted[Math.ceil(QUANTILE * sorted.length) - 1];
  return Math.min(rank ?? jobTimeoutMs, jobTimeoutMs);
}
