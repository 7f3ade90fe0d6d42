/**
 * A signal that aborts when one of these does, and surely so. What `AbortSignal.any` makes may never abort: where nobody
 * listens to it, Node.js (24) loses it to the garbage collector, although it is held and will be looked at. A listener
 * of our own keeps it until it aborts, so one of these has to at some time.
 */
export function anySignal(...signals: readonly AbortSignal[]): AbortSignal {
  const either = AbortSignal.any([...signals]);
  either.addEventListener('abort', () => undefined, { once: true });
  return either;
}

/** A signal that aborts after so many milliseconds, or when one of the others does. It keeps no process from ending. */
export function within(ms: number, ...others: readonly AbortSignal[]): AbortSignal {
  const late = new AbortController();
  setTimeout(() => late.abort(new DOMException('it took too long', 'TimeoutError')), ms).unref();
  return anySignal(...others, late.signal);
}
