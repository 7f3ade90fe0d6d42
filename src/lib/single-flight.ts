/** Joins callers that ask for the same key at the same time: the work runs once and all get its outcome. */
export class SingleFlight<T> {
  readonly #flights = new Map<string, Promise<T>>();

  /** Runs `work` for `key`, or joins the call for `key` that is already under way. */
  run(key: string, work: () => Promise<T>): Promise<T> {
    const current = this.#flights.get(key);
    if (current !== undefined) return current;
    const flight = work().finally(() => this.#flights.delete(key));
    this.#flights.set(key, flight);
    return flight;
  }

  /** The keys that have work under way now. */
  keys(): readonly string[] {
    return [...this.#flights.keys()];
  }
}
