/** Waits `ms` milliseconds, or until one of the signals aborts; returns whether the time ran out. */
export function sleep(ms: number, ...signals: readonly (AbortSignal | undefined)[]): Promise<boolean> {
  // The global timer and not node:timers/promises: only that one can be replaced by virtual time in tests.
  return new Promise((resolve) => {
    if (signals.some((signal) => signal?.aborted)) return resolve(false);
    const end = (isOver: boolean): void => {
      clearTimeout(timer);
      for (const signal of signals) signal?.removeEventListener('abort', onAbort);
      resolve(isOver);
    };
    const onAbort = (): void => end(false);
    const timer = setTimeout(() => end(true), ms);
    for (const signal of signals) signal?.addEventListener('abort', onAbort, { once: true });
  });
}
