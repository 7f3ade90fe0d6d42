import type { MarketOffer } from '../../domain/ports/broker.ts';
import { readablePrice } from '../../lib/readable.ts';
import { energyCost } from '../../pricing/power-cost.ts';

/** What others ask for the same GPU, in US dollars per job and minute. */
export type AskRange = {
  readonly count: number;
  readonly min: number;
  readonly median: number;
  readonly max: number;
};

/** A price, and why it is this one. */
export type Proposal = { readonly ask: number; readonly why: string };

/** What is known about the price of a GPU; undefined: unknown. */
export type PriceFacts = {
  readonly market: AskRange | undefined;
  /** What its power costs a minute at its limit, in US dollars. */
  readonly powerCost: number | undefined;
};

/** Above the cost of power where others ask less than that. */
const ABOVE_POWER = 1.25;
/** The same where nobody else offers the GPU. */
const ALONE = 2;

/** What others ask for a catalogue entry, or for CPU jobs; undefined: nobody does. `own` are instances of this account. */
export function askRange(
  offers: readonly MarketOffer[],
  gpuName: string | undefined,
  own: ReadonlySet<string>,
): AskRange | undefined {
  const asks = offers
    .filter(
      (offer) => offer.gpuName === gpuName && !(offer.instance !== undefined && own.has(offer.instance)),
    )
    .map(({ askPrice }) => askPrice)
    .sort((a, b) => a - b);
  const [min] = asks;
  const max = asks.at(-1);
  if (min === undefined || max === undefined) return undefined;
  const middle = asks.length / 2;
  const median = ((asks[Math.ceil(middle) - 1] ?? min) + (asks[Math.floor(middle)] ?? max)) / 2;
  return { count: asks.length, min, median, max };
}

/** What so many watts cost a minute: W / 1000 * price / 60. */
export function powerCostPerMinute(watts: number, dollarsPerKWh: number): number {
  return energyCost(watts * 60, dollarsPerKWh);
}

/** A price to start with: what others ask, and never less than the power costs; undefined: nothing is known. Pure. */
export function proposeAsk({ market, powerCost }: PriceFacts): Proposal | undefined {
  if (market === undefined) {
    if (powerCost === undefined || powerCost === 0) return undefined;
    return {
      ask: roundUp(powerCost * ALONE),
      why: 'twice what its power costs, because nobody else offers it',
    };
  }
  const { median } = market;
  if (powerCost !== undefined && median < powerCost)
    return {
      ask: roundUp(powerCost * ABOVE_POWER),
      why: 'above what its power costs; others ask less than that',
    };
  if (median === 0) return undefined;
  return { ask: roundUp(median), why: 'the median of what others ask' };
}

/** To two digits: `0.0035`, `0.05`, `1.3`. */
function roundUp(price: number): number {
  const unit = 10 ** (Math.floor(Math.log10(price)) - 1);
  // A price that has two digits stays, whatever its binary form.
  return Number((Math.ceil(Number((price / unit).toPrecision(12))) * unit).toPrecision(2));
}

/** What is known about a price, for people. */
export function factsText({ market, powerCost }: PriceFacts): readonly string[] {
  return [
    market === undefined
      ? 'no other offers at the moment'
      : `others ask ${readablePrice(market.median)} in the middle of ${market.count} (${readablePrice(market.min)} to ${readablePrice(market.max)})`,
    ...(powerCost === undefined ? [] : [`its power costs up to ${readablePrice(powerCost)} a minute`]),
  ];
}
