/** The failures in a row under one key; times by the map's clock. */
export type Backoff<T> = {
  readonly failures: number;
  /** When the next try is due; Infinity: never. */
  readonly retryAt: number;
  readonly waitMs: number;
  /** What the last failure was. */
  readonly failure: T;
};

/** Counts the failures of each key, and says until when to leave the key alone. */
export class BackoffMap<T> {
  readonly #now: () => number;
  readonly #entries = new Map<string, Backoff<T>>();

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  /**
   * Records a failure; `waitMs` maps the number of failures in a row to the wait. Failures while the key waits already
   * ran side by side with the first: they count as one and never shorten its wait.
   */
  fail(key: string, failure: T, waitMs: (failures: number) => number): Backoff<T> {
    const before = this.#entries.get(key);
    const isSame = before !== undefined && this.#isWaiting(before);
    const failures = (before?.failures ?? 0) + (isSame ? 0 : 1);
    const now = this.#now();
    const retryAt = Math.max(now + waitMs(failures), isSame ? before.retryAt : 0);
    const entry = { failures, failure, retryAt, waitMs: retryAt - now };
    this.#entries.set(key, entry);
    return entry;
  }

  /** What is recorded for the key, whether its wait is over or not. */
  get(key: string): Backoff<T> | undefined {
    return this.#entries.get(key);
  }

  /** As `get`, only while the key waits. */
  waitingFor(key: string): Backoff<T> | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && this.#isWaiting(entry) ? entry : undefined;
  }

  /** All keys, whether their wait is over or not, in the order of their first failure. */
  get all(): readonly (readonly [key: string, Backoff<T>])[] {
    return [...this.#entries];
  }

  /** All keys that wait now. */
  get waiting(): readonly (readonly [key: string, Backoff<T>])[] {
    return [...this.#entries].filter(([, entry]) => this.#isWaiting(entry));
  }

  /** Whether any key waits now whose entry `accepts` accepts. */
  isAnyWaiting(accepts: (entry: Backoff<T>) => boolean): boolean {
    for (const entry of this.#entries.values()) if (this.#isWaiting(entry) && accepts(entry)) return true;
    return false;
  }

  /** When the next wait is over; Infinity where nothing waits. */
  get nextRetryAt(): number {
    let next = Number.POSITIVE_INFINITY;
    for (const entry of this.#entries.values())
      if (this.#isWaiting(entry)) next = Math.min(next, entry.retryAt);
    return next;
  }

  /** Forgets the failures of a key. */
  clear(key: string): void {
    this.#entries.delete(key);
  }

  /** Forgets all keys but those that `keep` accepts; returns how many it forgot. */
  retain(keep: (key: string, entry: Backoff<T>) => boolean): number {
    const before = this.#entries.size;
    for (const [key, entry] of this.#entries) if (!keep(key, entry)) this.#entries.delete(key);
    return before - this.#entries.size;
  }

  #isWaiting({ retryAt }: Backoff<T>): boolean {
    return this.#now() < retryAt;
  }
}

/** The smallest of these times; Infinity where there are none. `Math.min(...times)` fails for very many. */
export function earliest(times: readonly number[]): number {
  return times.reduce((least, time) => Math.min(least, time), Number.POSITIVE_INFINITY);
}
