import type { z } from 'zod';
import type { Agent } from '../agent/agent.ts';
import { ENDPOINTS } from '../control-api/endpoints.ts';
import type { PRICE_VIEWS } from '../control-api/price-views.ts';
import { type Route, route } from '../control-api/route.ts';
import type { PriceChange, PriceFreeze, PriceStore } from '../domain/ports/price-store.ts';
import { changeText, HOLD_REASONS } from '../pricing/strategy/strategy.ts';
import { priceTermsAnswer } from './price-terms.ts';
import { numberIn } from './query.ts';

/** How many changes are listed where no number is asked for. */
const CHANGES = 50;
const MAX_CHANGES = 1_000;

export type PriceParts = {
  readonly agent: Pick<Agent, 'costs' | 'pricer'>;
  readonly journal: { readonly prices: Pick<PriceStore, 'changes' | 'lastChange'> };
};

type Prices = z.output<typeof PRICE_VIEWS.prices>;

/** What offers ask and why, and the owner's switch that stops all changes. */
export function priceRoutes({ agent, journal }: PriceParts): readonly Route[] {
  const { pricer } = agent;
  const switched = (changed: boolean) => ({ changed, frozen: freezeAnswer(pricer.frozen) });
  return [
    route(ENDPOINTS.prices, async (call): Promise<Prices> => {
      const limit = numberIn(call, 'limit', 0, MAX_CHANGES) ?? CHANGES;
      return {
        frozen: freezeAnswer(pricer.frozen),
        offers: pricer.views.map((view) => offerAnswer(view, journal.prices.lastChange(view.offer))),
        changes: journal.prices.changes(limit).map(changeAnswer),
      };
    }),
    route(ENDPOINTS.priceTerms, async () => priceTermsAnswer(agent)),
    route(ENDPOINTS.priceFreeze, async ({ body, caller: by, from }) =>
      switched(pricer.freeze(body.note, { by, from })),
    ),
    route(ENDPOINTS.priceUnfreeze, async ({ caller: by, from }) => switched(pricer.unfreeze({ by, from }))),
  ];
}

function offerAnswer(
  { cost, hold, nextChangeAt, offer, settings, state }: Agent['pricer']['views'][number],
  last: PriceChange | undefined,
): Prices['offers'][number] {
  return {
    offer,
    ask: state.ask,
    strategy: settings.strategy,
    start: state.start,
    min: settings.min ?? null,
    max: settings.max ?? null,
    floor: cost?.floor ?? null,
    since: last?.at ?? null,
    reason: last?.reason ?? null,
    why: last === undefined ? null : changeText(last.reason),
    hold: hold ?? null,
    holdWhy: hold === undefined ? null : HOLD_REASONS[hold],
    nextChangeAt: nextChangeAt ?? null,
    terms: state.terms,
  };
}

/** The switch as the API shows it. Pure. */
export function freezeAnswer(freeze: PriceFreeze | undefined): Prices['frozen'] {
  return freeze === undefined ? null : { at: freeze.at, by: freeze.by, note: freeze.note ?? null };
}

/** A change as the API shows it. Pure. */
export function changeAnswer({ limitedBy, ...change }: PriceChange): Prices['changes'][number] {
  return { ...change, why: changeText(change.reason), limitedBy: limitedBy ?? null };
}
