import { type Offer, type OfferPlan, parallelJobsOf } from '../../domain/offer.ts';
import type { Observer } from '../events/events.ts';

/** An offer whose price and size may change. */
export type PricedOffer = {
  readonly offer: Offer;
  /** Asks this much from now on, in dollars per job and minute. */
  ask(price: number): void;
  /** The broker knows that it takes so many jobs at once. */
  resize(parallelJobs: number): void;
};

/**
 * Changes the prices and sizes of offers. Until the broker has accepted a change, the higher price counts: no job is
 * claimed below the owner's price, and none that the broker would reject.
 */
export class Repricer {
  readonly #wanted = new Map<string, number>();
  readonly #parallelJobs = new Map<string, number>();
  /** The prices that the broker has. */
  readonly #accepted = new Map<string, number>();
  readonly #updating = new Set<string>();
  readonly #observe: Observer;

  constructor(observe: Observer) {
    this.#observe = observe;
  }

  /** Sets what offers ask. */
  setPrices(plans: readonly OfferPlan[]): void {
    for (const { askPrice, key } of plans) this.#wanted.set(key, askPrice);
  }

  /** Sets how many jobs an offer takes at once. */
  setParallelJobs(key: string, jobs: number): void {
    this.#parallelJobs.set(key, jobs);
  }

  /** The plan with the price and size that were set last. */
  now<T extends OfferPlan>(plan: T): T {
    const askPrice = this.#wanted.get(plan.key) ?? plan.askPrice;
    return { ...plan, askPrice, parallelJobs: this.#parallelJobs.get(plan.key) ?? plan.parallelJobs };
  }

  /** The broker has these figures of an offer; `priced` is absent where the offer has no worker yet. */
  written(offer: Offer, priced?: PricedOffer): void {
    const before = this.#accepted.get(offer.key) ?? priced?.offer.askPrice;
    this.#accepted.set(offer.key, offer.askPrice);
    if (priced === undefined) return;
    const size = parallelJobsOf(offer);
    const isResized = parallelJobsOf(priced.offer) !== size;
    priced.ask(Math.max(offer.askPrice, this.now(priced.offer).askPrice));
    priced.resize(size);
    if (before !== undefined && before !== offer.askPrice)
      this.#observe({ kind: 'offer-price-updated', offer, before });
    if (isResized) this.#observe({ kind: 'offer-resized', offer });
  }

  /**
   * Applies what was set last, here and at the broker: `update` writes what `now` answers into its instance, however
   * long that takes, and answers what it wrote; undefined: the broker does not know the instance. Answers whether the
   * broker has what was set, or gets it from an update that is under way. Throws what `update` throws.
   */
  async apply(priced: PricedOffer, update: () => Promise<Offer | undefined>): Promise<boolean> {
    const { askPrice, key } = priced.offer;
    if (!this.#accepted.has(key)) this.#accepted.set(key, askPrice);
    // Not below a price that is being written.
    priced.ask(Math.max(askPrice, this.now(priced.offer).askPrice));
    if (this.#updating.has(key)) return true;
    this.#updating.add(key);
    try {
      while (this.#isBehind(priced.offer)) {
        const offer = await update();
        if (offer === undefined) return false;
        this.written(offer, priced);
      }
      return true;
    } finally {
      this.#updating.delete(key);
    }
  }

  /** Whether the broker, or the offer here, does not have what was set last. */
  #isBehind(offer: Offer): boolean {
    const wanted = this.now(offer);
    const prices = [this.#accepted.get(offer.key), offer.askPrice];
    return (
      prices.some((price) => price !== wanted.askPrice) || parallelJobsOf(offer) !== parallelJobsOf(wanted)
    );
  }
}
