/** Runs `work` with a signal that aborts with `signal`, or after `ms` with the reason `tooLong`. */
export async function withDeadline<T>(
  signal: AbortSignal,
  ms: number,
  tooLong: Error,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  const timer = setTimeout(() => controller.abort(tooLong), ms);
  signal.addEventListener('abort', abort);
  if (signal.aborted) abort();
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}
