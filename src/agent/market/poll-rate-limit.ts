/** So many polls may follow each other as they come, */
const MOST = 10;
/** and so many come back per second: while a slot is free, which a delay may cost a job, and while none is. */
const PER_SECOND = { free: 10, filled: 2 };

/** A broker that holds calls may be asked again this soon after a change, in milliseconds, */
const LEAST_MS = 50;
/** and this much later for each run on its list: whoever reads a long one has other things to do as well. */
const PER_RUN_MS = 0.02;

/**
 * How soon a broker that holds calls is asked again after it has told of a change. On a market where much happens,
 * changes come one after the other and each may be worth a claim; a broker that answers at once whatever it says of
 * holding must not be asked in a hot loop.
 */
export class PollRateLimit {
  readonly #now: () => number;
  #left = MOST;
  #at: number;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /**
   * Takes note of a change on a list of so many runs; `slots` says whether one is free. Answers the wait until the next
   * look, in milliseconds.
   */
  spend(runs: number, slots: keyof typeof PER_SECOND): number {
    const now = this.#now();
    const perSecond = PER_SECOND[slots];
    this.#left = Math.min(MOST, this.#left + ((now - this.#at) / 1000) * perSecond) - 1;
    this.#at = now;
    const owedMs = Math.max(0, (-this.#left / perSecond) * 1000);
    return Math.max(LEAST_MS + runs * PER_RUN_MS, owedMs);
  }
}
