/** How long to wait between tries: doubling from `initialMs` to `maxMs`. */
export type BackoffShape = { readonly initialMs: number; readonly maxMs: number };

/**
 * The wait in milliseconds before try number `attempt` (1 is the first repeat), with full jitter on the upper
 * half so that many agents that lost the same broker do not come back in the same instant.
 * `random` answers a number in [0, 1).
 */
export function backoffMs(shape: BackoffShape, attempt: number, random: () => number): number {
  const ceiling = Math.min(shape.maxMs, shape.initialMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
