import { type PricePoint, type PriceStretch, PublishedPrices, type Tariff } from './tariff.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Published prices that go on where the publication ends: for a day those of the same time a day before, later the highest of
 * all that are known, so that nobody works below cost because a supplier is silent. Gaps are filled in the same way.
 */
export class PricedAhead implements Tariff {
  readonly #known: PublishedPrices;
  readonly #highest: number | undefined;

  constructor(points: readonly PricePoint[]) {
    this.#known = new PublishedPrices(points);
    const prices = points.map((point) => point.dollarsPerKWh);
    this.#highest = prices.length === 0 ? undefined : prices.reduce((a, b) => Math.max(a, b));
  }

  *stretches(from: number, until: number): Generator<PriceStretch, void> {
    for (const stretch of this.#known.stretches(from, until))
      if (stretch.dollarsPerKWh === undefined) yield* this.#assumed(stretch);
      else yield stretch;
  }

  *#assumed({ from, until }: PriceStretch): Generator<PriceStretch, void> {
    for (const before of this.#known.stretches(from - DAY_MS, until - DAY_MS))
      yield {
        from: before.from + DAY_MS,
        until: before.until + DAY_MS,
        dollarsPerKWh: before.dollarsPerKWh ?? this.#highest,
      };
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
