const DAY_MS = 86_400_000;

/** The day of a time of the wall clock, in milliseconds, on which images are counted: days since 1970 by UTC. Pure. */
export function imageDayOf(at: number): number {
  return Math.floor(at / DAY_MS);
}
