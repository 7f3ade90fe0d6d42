type Flight<T> = { readonly outcome: Promise<T>; readonly controller: AbortController; waiters: number };

/**
 * Joins callers that ask for the same key at the same time, for work that can be stopped: a caller whose signal is
 * aborted leaves alone, and the work is stopped when the last one has left.
 */
export class SharedWork<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** Runs `work` for `key`, or joins it; rejects with the signal's reason when that is aborted first. */
  async run(key: string, signal: AbortSignal, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    flight.waiters += 1;
    const left = Promise.withResolvers<never>();
    const leave = (): void => left.reject(signal.reason);
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await Promise.race([flight.outcome, left.promise]);
    } finally {
      signal.removeEventListener('abort', leave);
      flight.waiters -= 1;
      if (flight.waiters === 0) {
        // Forgotten first, so that whoever asks now does not join work that is being stopped.
        if (this.#flights.get(key) === flight) this.#flights.delete(key);
        flight.controller.abort();
      }
    }
  }

  #begin(key: string, work: (signal: AbortSignal) => Promise<T>): Flight<T> {
    const controller = new AbortController();
    const flight: Flight<T> = { outcome: work(controller.signal), controller, waiters: 0 };
    this.#flights.set(key, flight);
    return flight;
  }
}
