import { type MetricValues, valuesOf } from './metric.ts';
import { METRICS } from './table.ts';

/** What a job of an offer costs, in US dollars per minute; `cost` is undefined where it is not known. */
export type OfferFloor = {
  readonly offer: string;
  readonly cost: { readonly floor: number } | undefined;
};

/** The floors of the offers; nothing of one that is not known. Pure. */
export function floorValues(offers: readonly OfferFloor[]): MetricValues {
  return valuesOf(
    METRICS.floor,
    offers.flatMap(({ cost, offer }) => (cost === undefined ? [] : [[{ offer }, cost.floor] as const])),
  );
}
