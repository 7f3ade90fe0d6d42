/** A bucket of tokens that refills with time up to its capacity. It may be overdrawn: what is missing is a debt. */
export class TokenBucket {
  readonly #capacity: number;
  readonly #now: () => number;
  #left: number;
  #at: number;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(capacity: number, now: () => number) {
    this.#capacity = capacity;
    this.#now = now;
    this.#left = capacity;
    this.#at = now();
  }

  /** Refills at `perSecond`, takes `tokens`, and returns what is left; negative: the debt. */
  take(tokens: number, perSecond: number): number {
    const now = this.#now();
    const refilled = this.#left + ((now - this.#at) / 1000) * perSecond;
    this.#left = Math.min(this.#capacity, refilled) - tokens;
    this.#at = now;
    return this.#left;
  }

  /** Refills at `perSecond`, and takes one token if there is one; answers whether there was. */
  takeOne(perSecond: number): boolean {
    const isThere = this.take(0, perSecond) >= 1;
    if (isThere) this.take(1, perSecond);
    return isThere;
  }
}
