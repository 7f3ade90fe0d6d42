/**
 * A call whose answer holds for `ms` milliseconds of `monotonic`'s time: asked again sooner, it is given again without
 * a call. Failures are not remembered, and calls side by side are not brought together.
 */
export function cachedFor<T>(
  ms: number,
  monotonic: () => number,
  call: (signal: AbortSignal) => Promise<T>,
): (signal: AbortSignal) => Promise<T> {
  let last: { readonly value: T; readonly at: number } | undefined;
  return async (signal) => {
    if (last !== undefined && monotonic() - last.at < ms) return last.value;
    const value = await call(signal);
    last = { value, at: monotonic() };
    return value;
  };
}
