import type { Offer, OfferPlan } from '../../domain/offer.ts';
import type { Observer } from '../events/events.ts';

/** An offer whose price may change. */
export type PricedOffer = {
  readonly offer: Offer;
  /** Asks this much from now on, in dollars per job and minute. */
  ask(price: number): void;
};

/**
 * Changes the prices of offers. Until the broker has accepted a change, the higher price counts: no job is claimed below
 * the owner's price, and none that the broker would reject.
 */
export class Repricer {
  readonly #wanted = new Map<string, number>();
  readonly #updating = new Set<string>();
  readonly #observe: Observer;

  constructor(observe: Observer) {
    this.#observe = observe;
  }

  /** Sets what offers ask. */
  setPrices(plans: readonly OfferPlan[]): void {
    for (const { askPrice, key } of plans) this.#wanted.set(key, askPrice);
  }

  /** The plan with the price that was set last. */
  now<T extends OfferPlan>(plan: T): T {
    return { ...plan, askPrice: this.#wanted.get(plan.key) ?? plan.askPrice };
  }

  /**
   * Applies the price that was set last, here and at the broker: `update` changes its instance, however long that takes.
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
      while (accepted !== wanted()) {
        const before = accepted;
        const offer = this.now(priced.offer);
        await update(offer);
        accepted = offer.askPrice;
        priced.ask(Math.max(accepted, wanted()));
        this.#observe({ kind: 'offer-price-updated', offer, before });
      }
    } finally {
      this.#updating.delete(key);
    }
  }
}
