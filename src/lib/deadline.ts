import { sleep } from './sleep.ts';

/**
 * A signal that aborts when one of these does. `AbortSignal.any` alone is not enough: Node.js 24 garbage-collects what it
 * returns where nobody listens, although the signal is still held, and then it never aborts. A listener keeps it alive,
 * until one of these aborts: in a loop, on signals that may never do, it is `joinSignals` that leaves nothing behind.
 */
export function anySignal(...signals: readonly AbortSignal[]): AbortSignal {
  const either = AbortSignal.any([...signals]);
  either.addEventListener('abort', () => undefined, { once: true });
  return either;
}

/** As `anySignal`; its `using` scope leaves no listener behind. */
export function joinSignals(
  ...signals: readonly AbortSignal[]
): Disposable & { readonly signal: AbortSignal } {
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signals.find(({ aborted }) => aborted)?.reason);
  for (const signal of signals) signal.addEventListener('abort', onAbort, { once: true });
  if (signals.some(({ aborted }) => aborted)) onAbort();
  return {
    signal: controller.signal,
    [Symbol.dispose]: () => {
      for (const signal of signals) signal.removeEventListener('abort', onAbort);
    },
  };
}

/** A signal that aborts after `ms` milliseconds, or with one of the others. It does not keep the process alive. */
export function within(ms: number, ...others: readonly AbortSignal[]): AbortSignal {
  const late = new AbortController();
  setTimeout(() => late.abort(new DOMException('it took too long', 'TimeoutError')), ms).unref();
  return anySignal(...others, late.signal);
}

/** Settles when the signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The outcome of `work`; throws the signal's reason as soon as it aborts. Leaves no listener behind. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const abort = Promise.withResolvers<never>();
  const onAbort = (): void => abort.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    return await Promise.race([abort.promise, work]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}

/** The outcome of `work`, or undefined once `ms` milliseconds are over or the signal aborts. Leaves no timer behind. */
export async function waitAtMost<T>(
  ms: number,
  work: Promise<T>,
  signal?: AbortSignal,
): Promise<T | undefined> {
  const enough = new AbortController();
  const either = signal === undefined ? enough.signal : AbortSignal.any([signal, enough.signal]);
  try {
    return await Promise.race([work, sleep(ms, either).then(() => undefined)]);
  } finally {
    enough.abort();
  }
}

/** How long a call may take. */
export type Deadline = {
  /** In milliseconds. */
  readonly ms: number;
  /**
   * What the caller gets when the time is up. A function makes it only then, from the milliseconds that are over: an error
   * takes time for its stack.
   */
  readonly error: Error | ((ms: number) => Error);
  /** Ends the call too, with its own reason. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * Runs `work` with a signal that aborts at the deadline, and throws then even where `work` ignores that signal.
 * `work` may call `extend` to restart the time, such as after each piece of a long answer. With a length of its own, pieces
 * that wait to be read are read first: while this process itself was stopped, nothing was late.
 */
export async function withDeadline<T>(
  { error, ms, signal }: Deadline,
  work: (signal: AbortSignal, extend: (ms?: number) => void) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const onAbort = (): void => controller.abort(signal?.reason);
  const giveUp = (length: number): void =>
    controller.abort(typeof error === 'function' ? error(length) : error);
  let timer = setTimeout(() => giveUp(ms), ms);
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    return await unlessAborted(
      work(controller.signal, (length) => {
        if (length === undefined) return void timer.refresh();
        clearTimeout(timer);
        const own = setTimeout(() => setImmediate(() => timer === own && giveUp(length)), length);
        timer = own;
      }),
      controller.signal,
    );
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
  }
}
