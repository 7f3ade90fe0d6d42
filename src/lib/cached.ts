import { SingleFlight } from './single-flight.ts';

/** A call whose result is returned again for `ms` milliseconds. Errors are not kept, and calls are not joined. */
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

/** The same, and callers at the same time share one call. */
export function sharedFor<T>(ms: number, monotonic: () => number, call: () => Promise<T>): () => Promise<T> {
  const flights = new SingleFlight<T>();
  const cached = cachedFor(ms, monotonic, call);
  return () => flights.run('', cached);
}
