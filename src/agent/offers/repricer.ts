import type { Offer, OfferPlan } from '../../domain/offer.ts';
import type { Observer } from '../events/events.ts';

/** An offer on the market, as far as its ask goes. */
export type PricedOffer = {
  readonly offer: Offer;
  /** Decides by this ask from now on. */
  ask(price: number): void;
};

/**
 * What each offer asks, where the owner has set it anew meanwhile. Until the broker knows of a change, the higher of
 * both asks counts: no job is taken below what the owner wants now, and none is claimed that the broker would deny.
 */
export class Repricer {
  readonly #wanted = new Map<string, number>();
  readonly #updating = new Set<string>();
  readonly #observe: Observer;

  constructor(observe: Observer) {
    this.#observe = observe;
  }

  /** Notes what the owner wants now. */
  setPrices(plans: readonly OfferPlan[]): void {
    for (const { askPrice, key } of plans) this.#wanted.set(key, askPrice);
  }

  /** The plan with the ask that counts now. */
  now<T extends OfferPlan>(plan: T): T {
    return { ...plan, askPrice: this.#wanted.get(plan.key) ?? plan.askPrice };
  }

  /**
   * Brings an offer to the ask that counts now, here and at the broker: `tell` makes its instance ask what the offer
   * asks, however long that takes. Throws what that throws.
   */
  async apply(stand: PricedOffer, tell: (offer: Offer) => Promise<unknown>): Promise<void> {
    const { key } = stand.offer;
    let told = stand.offer.askPrice;
    const wanted = (): number => this.now(stand.offer).askPrice;
    stand.ask(Math.max(told, wanted()));
    // Whoever is telling the broker already sees this change too.
    if (this.#updating.has(key)) return;
    this.#updating.add(key);
    try {
      while (told !== wanted()) {
        const before = told;
        const offer = this.now(stand.offer);
        await tell(offer);
        told = offer.askPrice;
        stand.ask(Math.max(told, wanted()));
        this.#observe({ kind: 'offer-price-updated', offer, before });
      }
    } finally {
      this.#updating.delete(key);
    }
  }
}
