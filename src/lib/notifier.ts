/** A bell: whoever waits for it goes on once after any number of rings. */
export class Notifier {
  #notified = false;
  #resume: (() => void) | undefined;

  notify(): void {
    this.#notified = true;
    this.#resume?.();
  }

  /** Waits for the next ring, or for one that came since the last wait, or for the signal, or for `maxMs`. */
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
}
