/** The smallest of these times; Infinity where there are none. `Math.min(...times)` fails for very many. */
export function earliest(times: readonly number[]): number {
  return times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
}
