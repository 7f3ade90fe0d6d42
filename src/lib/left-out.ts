const DUE_EVERY_MS = 60_000;

/** Counts by key what was left out beyond a rate; the counts are due once a minute. */
export class LeftOut<Key> {
  readonly #now: () => number;
  readonly #counts = new Map<Key, number>();
  #dueAt = Number.NEGATIVE_INFINITY;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
  }

  add(key: Key): void {
    this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
  }

  /** The counts since they were due last; empty if that was less than a minute ago. */
  takeDue(): readonly (readonly [key: Key, count: number])[] {
    const now = this.#now();
    if (this.#counts.size === 0 || now < this.#dueAt) return [];
    this.#dueAt = now + DUE_EVERY_MS;
    const counts = [...this.#counts];
    this.#counts.clear();
    return counts;
  }
}
