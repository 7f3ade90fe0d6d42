/** Waits `ms` milliseconds, or until the signal aborts; returns whether the time ran out. */
export function sleep(ms: number, signal?: AbortSignal): Promise<boolean> {
  // The global timer and not node:timers/promises: only that one can be replaced by virtual time in tests.
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve(false);
    const end = (isOver: boolean): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      resolve(isOver);
    };
    const onAbort = (): void => end(false);
    const timer = setTimeout(() => end(true), ms);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}
