import type { SkipReason } from '../../domain/decide.ts';
import type { Offer } from '../../domain/offer.ts';
import type { OpenRun } from '../../domain/run.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { OfferSlots } from '../jobs/slot-pool.ts';
import type { RunResolver } from './run-resolver.ts';

/** How many runs are resolved ahead of free slots. */
const RESOLVE_AHEAD = 8;

export type RunPreparationDeps = {
  readonly offer: () => Offer;
  readonly images: Pick<ImagePuller, 'state' | 'want'>;
  readonly resolver: Pick<RunResolver, 'resolve'>;
  readonly slots: Pick<OfferSlots, 'free'>;
  /** Tells the broker that an image is ready. */
  readonly announceImage: (registryPath: string) => void;
};

/** Has the functions of an offer's best runs looked up and their images pulled. */
export class RunPreparation {
  readonly #deps: RunPreparationDeps;
  /** The images that runs missed and that are not ready yet. */
  readonly #wanted = new Set<string>();
  readonly #announced = new Set<string>();

  constructor(deps: RunPreparationDeps) {
    this.#deps = deps;
  }

  /** The broker knows none of this host's images any more. */
  announceAgain(): void {
    for (const ref of this.#announced) this.#deps.announceImage(ref);
  }

  /** Announces the images that were pulled; then takes what one decision skips, best run first. */
  begin() {
    const { announceImage, images, offer, resolver, slots } = this.#deps;
    let room = slots.free + RESOLVE_AHEAD;
    for (const ref of this.#wanted) {
      if (images.state(ref) !== 'ready') continue;
      this.#wanted.delete(ref);
      if (!this.#announced.has(ref)) announceImage(ref);
      this.#announced.add(ref);
    }
    const missing = new Set<string>();
    const preparation = {
      /** Whether a run is being looked up. */
      isWaiting: false,
      skipped: (open: OpenRun, reason: SkipReason): void => {
        if (reason === 'image-not-pulled' && open.function !== undefined) {
          missing.add(open.function.registryPath);
          this.#wanted.add(open.function.registryPath);
        } else if (reason !== 'unresolved' || room <= 0 || !resolver.resolve(open.run)) return;
        room -= 1;
        preparation.isWaiting = true;
      },
      /** Has the images pulled that runs miss. */
      end: (): void => {
        images.want(offer().key, missing, slots.free + RESOLVE_AHEAD);
        for (const ref of this.#wanted)
          if (!missing.has(ref) && images.state(ref) !== 'ready') this.#wanted.delete(ref);
      },
    };
    return preparation;
  }
}
