/** A bell: whoever waits for it goes on once after any number of rings. */
export class Wake {
  #rung = false;
  #resume: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#resume?.();
  }

  /** Waits for the next ring, or for one that came since the last wait, or for the signal, or for `mostMs`. */
  async wait(signal: AbortSignal, mostMs?: number): Promise<void> {
    if (!this.#rung && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const timer = mostMs === undefined ? undefined : setTimeout(done, mostMs);
        this.#resume = done;
        signal.addEventListener('abort', done, { once: true });
      });
      this.#resume = undefined;
    }
    this.#rung = false;
  }
}
