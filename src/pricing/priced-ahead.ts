import { DAY_MS, type Zone } from '../domain/schedule/zone.ts';
import { type PricePoint, type PriceStretch, PublishedPrices, type Tariff } from './tariff.ts';

/**
 * Published prices that go on where the publication ends: for a day those of the same time a day before, later the highest of
 * all that are known, so that nobody works below cost because a supplier is silent. Gaps are filled in the same way. The time
 * is that on the wall, where prices repeat; what the wall did not show the day before has the price of right after the change.
 */
export class PricedAhead implements Tariff {
  readonly #known: PublishedPrices;
  readonly #zone: Zone;
  readonly #highest: number | undefined;

  constructor(points: readonly PricePoint[], zone: Zone) {
    this.#known = new PublishedPrices(points);
    this.#zone = zone;
    const prices = points.map((point) => point.dollarsPerKWh);
    this.#highest = prices.length === 0 ? undefined : prices.reduce((a, b) => Math.max(a, b));
  }

  *stretches(from: number, until: number): Generator<PriceStretch, void> {
    for (const stretch of this.#known.stretches(from, until))
      if (stretch.dollarsPerKWh === undefined) yield* this.#assumed(stretch);
      else yield stretch;
  }

  *#assumed({ from, until }: PriceStretch): Generator<PriceStretch, void> {
    for (let start = from; start < until; ) {
      const [now, before] = [this.#zone.stretchAt(start), this.#zone.stretchAt(start - DAY_MS)];
      const end = Math.min(until, now.until, before.until + DAY_MS);
      const ms = DAY_MS + before.offset - now.offset;
      for (const known of this.#known.stretches(start - ms, end - ms))
        yield {
          from: known.from + ms,
          until: known.until + ms,
          dollarsPerKWh: known.dollarsPerKWh ?? this.#highest,
        };
      start = end;
    }
  }
}

/** The end of the last of the prices that are published, in milliseconds since the epoch; -Infinity: there are none. Pure. */
export function endOf(points: readonly Pick<PricePoint, 'until'>[]): number {
  return points.reduce((end, { until }) => Math.max(end, until), Number.NEGATIVE_INFINITY);
}

/** One tariff, and another where the first has no price. */
export function withFallback(first: Tariff, second: Tariff): Tariff {
  return {
    *stretches(from, until) {
      for (const stretch of first.stretches(from, until))
        if (stretch.dollarsPerKWh === undefined) yield* second.stretches(stretch.from, stretch.until);
        else yield stretch;
    },
  };
}
