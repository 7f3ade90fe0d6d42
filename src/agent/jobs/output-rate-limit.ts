import { TokenBucket } from '../../lib/token-bucket.ts';

/** How much a job may print at once, in bytes, and how much per second in the long run. */
export const MAX_BURST_BYTES = 2_000_000_000;
const BYTES_PER_SECOND = 1_000_000;

/**
 * Tells a flood from mere output. A flood fills no disk, because the engine keeps only the end of it, but reading and
 * writing it takes time of this host.
 */
export class OutputRateLimit {
  readonly #bucket: TokenBucket;

  /** `now`: a clock in milliseconds that never goes back. */
  constructor(now: () => number) {
    this.#bucket = new TokenBucket(MAX_BURST_BYTES, now);
  }

  /** Counts so many bytes; returns whether this is a flood by now. */
  take(bytes: number): boolean {
    return this.#bucket.take(bytes, BYTES_PER_SECOND) < 0;
  }
}
