/** The least of these times; Infinity where there are none. However many they are: `Math.min(...)` has a limit. */
export function earliest(times: readonly number[]): number {
  return times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
}
