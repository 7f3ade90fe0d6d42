import { TokenBucket } from '../../lib/token-bucket.ts';

/** How many polls may follow each other without a wait. */
const MAX_BURST = 10;
/** The rate in the long run, by whether a slot is free. */
const POLLS_PER_SECOND = { free: 10, filled: 2 };

/** The shortest wait in milliseconds, and what each run on the list adds: a long list takes time to read. */
const MIN_WAIT_MS = 50;
const PER_RUN_MS = 0.02;

/**
 * Limits how soon a broker that holds calls is polled again after a change. Each change may be worth a claim, but a
 * broker that answers at once although it says that it holds calls must not be polled in a hot loop.
 */
export class PollRateLimit {
  readonly #bucket: TokenBucket;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number) {
    this.#bucket = new TokenBucket(MAX_BURST, now);
  }

  /** Counts a poll that showed a change, of a list of so many runs. Returns the wait until the next, in milliseconds. */
  spend(runs: number, slots: keyof typeof POLLS_PER_SECOND): number {
    const perSecond = POLLS_PER_SECOND[slots];
    const debtMs = (-this.#bucket.take(1, perSecond) / perSecond) * 1000;
    return Math.max(MIN_WAIT_MS + runs * PER_RUN_MS, debtMs);
  }
}
