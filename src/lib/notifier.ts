/** Announces that something happened, with a value where there is one: to one waiter, and to any number of listeners. */
export class Notifier<Value = void> {
  readonly #listeners = new Set<(value: Value) => void>();
  #notified = false;
  #resume: (() => void) | undefined;
  #next: AbortController | undefined;

  notify(value: Value): void {
    this.#notified = true;
    this.#resume?.();
    this.#next?.abort();
    this.#next = undefined;
    for (const listener of this.#listeners) listener(value);
  }

  /** Calls `listener` at every notification from now on. */
  subscribe(listener: (value: Value) => void): void {
    this.#listeners.add(listener);
  }

  /** Waits for the next notification, or one since the last wait, or the signal, or `maxMs`. For one waiter only. */
  async wait(signal: AbortSignal, maxMs?: number): Promise<void> {
    if (!this.#notified && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = maxMs === undefined ? undefined : setTimeout(done, maxMs);
        this.#resume = done;
        signal.addEventListener('abort', done, { once: true });
      });
      this.#resume = undefined;
    }
    this.#notified = false;
  }

  /** Aborts at the next notification. */
  get next(): AbortSignal {
    this.#next ??= new AbortController();
    return this.#next.signal;
  }
}
