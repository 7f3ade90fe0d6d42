/** What the floor is multiplied by where nobody else offers the same. */
const ALONE = 2;

/**
 * The ask that an owner sets once: the median of what others ask for the same, and never below the floor; where nobody else
 * asks, twice the floor. US dollars per job and minute. `setup` proposes it, and strategies are compared with it. Pure.
 */
export function fixedAsk(asks: readonly number[], floor: number): number {
  return Math.max(floor, medianOf(asks) ?? floor * ALONE);
}

/** The middle of the values, whatever their order; undefined: there are none. Pure. */
export function medianOf(values: readonly number[]): number | undefined {
  const sorted = values.toSorted((a, b) => a - b);
  const [low, high] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
