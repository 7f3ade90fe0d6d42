/** The time since the epoch in milliseconds, with fractions: comparable with what other programs of this host note. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
