/** How long to wait between tries: doubling from `firstMs` to `mostMs`. */
export type BackoffShape = { readonly firstMs: number; readonly mostMs: number };

/**
 * The wait in milliseconds before try number `attempt` (1 is the first repeat), with full jitter on the upper
 * half so that many agents that lost the same broker do not come back in the same instant.
 * `random` answers a number in [0, 1).
 */
export function backoffMs(shape: BackoffShape, attempt: number, random: () => number): number {
  const ceiling = Math.min(shape.mostMs, shape.firstMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 30));
  return Math.round(ceiling / 2 + (ceiling / 2) * random());
}
