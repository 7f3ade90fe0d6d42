import { unlessAborted } from './deadline.ts';

type Flight<T> = { readonly outcome: Promise<T>; readonly controller: AbortController; waiters: number };

/**
 * Joins callers that ask for the same key at the same time. A caller whose signal aborts leaves alone; the work is
 * aborted when the last one has left.
 */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Flight<T>>();

  /** How many keys are under way. */
  get size(): number {
    return this.#flights.size;
  }

  /** The outcome of the key that has been under way for longest. */
  get oldest(): Promise<T> | undefined {
    const [flight] = this.#flights.values();
    return flight?.outcome;
  }

  has(key: string): boolean {
    return this.#flights.has(key);
  }

  /** Runs `work` for `key`, or joins the run under way; throws the reason of `signal` when that aborts first. */
  async run(key: string, work: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const flight = this.#flights.get(key) ?? this.#begin(key, work);
    flight.waiters += 1;
    try {
      return await (signal === undefined ? flight.outcome : unlessAborted(flight.outcome, signal));
    } finally {
      flight.waiters -= 1;
      if (flight.waiters === 0) {
        // Forgotten before the abort: the next caller must not join work that is being stopped.
        this.#forget(key, flight);
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

  #forget(key: string, flight: Flight<T>): void {
    if (this.#flights.get(key) === flight) this.#flights.delete(key);
  }
}
