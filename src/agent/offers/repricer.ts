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
 * Changes the prices and sizes of offers. Until the broker has accepted a change, the higher price counts: no job is claimed below
 * the owner's price, and none that the broker would reject.
 */
export class Repricer {
  readonly #wanted = new Map<string, number>();
  readonly #parallelJobs = new Map<string, number>();
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

  /**
   * Applies what was set last, here and at the broker: `update` changes its instance, however long that takes.
   * Throws what `update` throws.
   */
  async apply(priced: PricedOffer, update: (offer: Offer) => Promise<unknown>): Promise<void> {
    const { key } = priced.offer;
    let accepted = priced.offer.askPrice;
    const wanted = (): number => this.now(priced.offer).askPrice;
    priced.ask(Math.max(accepted, wanted()));
    // The update that is under way applies this change too.
    if (this.#updating.has(key)) return;
    this.#updating.add(key);
    try {
      const size = (): number => parallelJobsOf(this.now(priced.offer));
      while (accepted !== wanted() || parallelJobsOf(priced.offer) !== size()) {
        const before = accepted;
        const offer = this.now(priced.offer);
        await update(offer);
        accepted = offer.askPrice;
        priced.ask(Math.max(accepted, wanted()));
        if (before !== accepted) this.#observe({ kind: 'offer-price-updated', offer, before });
        if (parallelJobsOf(priced.offer) !== parallelJobsOf(offer))
          this.#observe({ kind: 'offer-resized', offer });
        priced.resize(parallelJobsOf(offer));
      }
    } finally {
      this.#updating.delete(key);
    }
  }
}
