import type { MarketOffer } from '../../domain/ports/broker.ts';
import { readablePrice } from '../../lib/readable.ts';
import { fixedAsk, medianOf } from '../../pricing/fixed-ask.ts';
import { type Floor, floorOf, paidShareOf } from '../../pricing/floor.ts';
import { marginalWatts, UNCALIBRATED } from '../../pricing/power-cost.ts';

/** A price, and why it is this one. */
export type Proposal = { readonly ask: number; readonly why: string };

/** What is known about the price of a GPU, in US dollars per job and minute. */
export type PriceFacts = {
  /** What others ask for the same, in any order; undefined: unknown. */
  readonly asks: readonly number[] | undefined;
  /** Undefined: unknown. */
  readonly floor: Floor | undefined;
};

/** What others ask for a catalogue entry; undefined: for CPU jobs. `own` are instances of this account. */
export function othersAsks(
  offers: readonly MarketOffer[],
  gpuName: string | undefined,
  own: ReadonlySet<string>,
): readonly number[] {
  return offers
    .filter(
      (offer) => offer.gpuName === gpuName && !(offer.instance !== undefined && own.has(offer.instance)),
    )
    .map(({ askPrice }) => askPrice);
}

/** The floor of a GPU that works at its power limit, before anything was measured: without wear and fees, which nobody has named. */
export function assumedFloor(powerLimitW: number, dollarsPerKWh: number): Floor {
  return floorOf({
    marginalW: marginalWatts(powerLimitW, 0, UNCALIBRATED),
    dollarsPerKWh,
    wearPerHour: 0,
    brokerFee: 0,
    paidShare: paidShareOf(0, 0),
  });
}

/** A price to start with, by the rule of the fixed ask; undefined: nothing is known. Pure. */
export function proposeAsk({ asks, floor: known }: PriceFacts): Proposal | undefined {
  const floor = known?.perMinute ?? 0;
  const ask = fixedAsk(asks ?? [], floor);
  if (ask === 0) return undefined;
  if (asks === undefined) return { ask: roundUp(ask), why: 'twice the floor; what others ask is unknown' };
  const median = medianOf(asks);
  if (median === undefined)
    return { ask: roundUp(ask), why: 'twice the floor, because nobody else offers it' };
  return median < floor
    ? { ask: roundUp(ask), why: 'the floor, because others ask less than that' }
    : { ask: roundUp(ask), why: 'the median of what others ask' };
}

/** To two digits: `0.0035`, `0.05`, `1.3`. */
function roundUp(price: number): number {
  const unit = 10 ** (Math.floor(Math.log10(price)) - 1);
  // A price that has two digits stays, whatever its binary form.
  return Number((Math.ceil(Number((price / unit).toPrecision(12))) * unit).toPrecision(2));
}

/** What is known about a price, for people. */
export function factsText({ asks, floor }: PriceFacts): readonly string[] {
  const power =
    floor &&
    `its power costs up to ${readablePrice(floor.power)} a minute; the floor is ${readablePrice(floor.perMinute)}, because some minutes are not paid`;
  return [othersText(asks), ...(power === undefined ? [] : [power])];
}

function othersText(asks: readonly number[] | undefined): string {
  if (asks === undefined) return 'what others ask is unknown: the broker did not say';
  const median = medianOf(asks);
  if (median === undefined) return 'no other offers at the moment';
  const [min, max] = [Math.min(...asks), Math.max(...asks)];
  return `others ask ${readablePrice(median)} in the middle of ${asks.length} (${readablePrice(min)} to ${readablePrice(max)})`;
}
