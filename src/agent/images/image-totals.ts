import { bytesByOwner, type OwnersBytes } from '../../domain/image-bytes.ts';
import type { HeldImage } from '../../domain/image-eviction.ts';
import type { Clock } from '../../domain/ports/clock.ts';

/** The engine is asked no more often, however often metrics are scraped. */
const TTL_MS = 60_000;

export type ImageTotalsDeps = {
  /** All images of the engine. */
  readonly images: (signal: AbortSignal) => Promise<readonly Pick<HeldImage, 'layers' | 'pulledAt'>[]>;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
};

/** What images take of the disk, for those who ask often and cannot wait. */
export class ImageTotals {
  readonly #deps: ImageTotalsDeps;
  #known: OwnersBytes | undefined;
  #askedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: ImageTotalsDeps) {
    this.#deps = deps;
  }

  /** As it was known last; undefined: not known. Has it read again where that is a minute ago. */
  glance(): OwnersBytes | undefined {
    const now = this.#deps.clock.monotonic();
    if (now - this.#askedAt >= TTL_MS && !this.#deps.signal.aborted) {
      this.#askedAt = now;
      void this.#read();
    }
    return this.#known;
  }

  async #read(): Promise<void> {
    try {
      this.#known = bytesByOwner(await this.#deps.images(this.#deps.signal));
    } catch {
      // Old figures would hide that the engine does not answer, which has metrics and log lines of its own.
      this.#known = undefined;
    }
  }
}
