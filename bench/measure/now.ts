/** Milliseconds since the epoch, with fractions; comparable with timestamps of other programs on this host. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
