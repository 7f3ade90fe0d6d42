/** How long to wait between tries: doubling from `initialMs` to `maxMs`. */
export type BackoffShape = { readonly initialMs: number; readonly maxMs: number };

/**
 * The wait in milliseconds after the `attempt`-th failure in a row. `random` returns a number in [0, 1) and takes off up
 * to half of the wait, so that many agents that lost one broker do not all return at once; without it nothing is taken.
 */
export function backoffMs(
  { initialMs, maxMs }: BackoffShape,
  attempt: number,
  random = (): number => 1,
): number {
  const wholeMs = Math.min(maxMs, initialMs * 2 ** Math.min(Math.max(attempt, 1) - 1, 30));
  return Math.round(wholeMs / 2 + (wholeMs / 2) * random());
}
