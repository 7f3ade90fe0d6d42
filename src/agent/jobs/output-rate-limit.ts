/** What a job may print at once, in bytes; and how much of that is forgiven per second, so that long jobs may print on. */
export const MAX_BURST_BYTES = 2_000_000_000;
const FORGIVEN_PER_SECOND = 1_000_000;

/**
 * Tells a flood from mere output. A flood fills no disk, since the engine keeps only the last of it, but reading and
 * writing it takes time of this host's that is not the job's own.
 */
export class OutputRateLimit {
  readonly #now: () => number;
  #level = 0;
  #at: number;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number) {
    this.#now = now;
    this.#at = now();
  }

  /** Takes note of so many bytes; answers whether this is a flood by now. */
  take(bytes: number): boolean {
    const now = this.#now();
    this.#level = Math.max(0, this.#level - ((now - this.#at) / 1000) * FORGIVEN_PER_SECOND) + bytes;
    this.#at = now;
    return this.#level > MAX_BURST_BYTES;
  }
}
