import { Timeline } from '../domain/schedule/timeline.ts';
import type { Window } from '../domain/schedule/window.ts';
import type { Zone } from '../domain/schedule/zone.ts';

/** A stretch of time with one price of electricity. Times are milliseconds since the epoch; `until` is not included. */
export type PriceStretch = {
  readonly from: number;
  readonly until: number;
  /** US dollars; undefined: not known. */
  readonly dollarsPerKWh: number | undefined;
};

/** What electricity costs when. */
export type Tariff = {
  /** The prices from one instant to another, without gaps, in their order. */
  stretches(from: number, until: number): Iterable<PriceStretch>;
};

/** The mean price over a time, and for how much of it one was known (0 to 1). */
export type MeanPrice = { readonly dollarsPerKWh: number; readonly known: number };

/** One price at all times, in US dollars per kWh. */
export function flatTariff(dollarsPerKWh: number): Tariff {
  return {
    stretches: (from, until) => (from < until ? [{ from, until, dollarsPerKWh }] : []),
  };
}

/** A price in a window of time. */
export type PriceRule = { readonly window: Window; readonly dollarsPerKWh: number };

/** Prices by windows, of which a later one wins; `otherwise` where none is open. */
export class TimeOfUse implements Tariff {
  readonly #rules: readonly PriceRule[];
  readonly #otherwise: number | undefined;
  readonly #timeline: Timeline;

  constructor(rules: readonly PriceRule[], zone: Zone, otherwise: number | undefined) {
    this.#rules = rules;
    this.#otherwise = otherwise;
    this.#timeline = new Timeline(
      zone,
      rules.map(({ window }) => window),
    );
  }

  *stretches(from: number, until: number): Generator<PriceStretch, void> {
    let start = from;
    while (start < until) {
      const dollarsPerKWh = this.#priceOf(this.#timeline.at(start));
      const end = Math.min(this.#nextOtherPrice(start, dollarsPerKWh) ?? until, until);
      yield { from: start, until: end, dollarsPerKWh };
      start = end;
    }
  }

  #nextOtherPrice(after: number, price: number | undefined): number | undefined {
    for (const { at, window } of this.#timeline.changes(after))
      if (this.#priceOf(window) !== price) return at;
    return undefined;
  }

  #priceOf(window: number): number | undefined {
    return this.#rules[window]?.dollarsPerKWh ?? this.#otherwise;
  }
}

/** A price from an instant on, until the next point or `until`. */
export type PricePoint = { readonly from: number; readonly until: number; readonly dollarsPerKWh: number };

/** Prices as a supplier publishes them, such as each hour's. Where points overlap, the later one in the list wins. */
export class PublishedPrices implements Tariff {
  readonly #points: readonly PricePoint[];

  constructor(points: readonly PricePoint[]) {
    this.#points = points;
  }

  *stretches(from: number, until: number): Generator<PriceStretch, void> {
    if (from >= until) return;
    const edges = new Set([from, until]);
    for (const point of this.#points)
      for (const edge of [point.from, point.until]) if (edge > from && edge < until) edges.add(edge);
    const sorted = [...edges].toSorted((a, b) => a - b);
    for (const [index, start] of sorted.entries()) {
      const end = sorted[index + 1];
      if (end === undefined) return;
      const at = this.#points.findLast((point) => point.from <= start && start < point.until);
      yield { from: start, until: end, dollarsPerKWh: at?.dollarsPerKWh };
    }
  }
}

/** The mean price from one instant to another, weighed by time; undefined: at no time known. Pure. */
export function meanPrice(tariff: Tariff, from: number, until: number): MeanPrice | undefined {
  // A single instant has the price that begins there.
  const end = Math.max(until, from + 1);
  let [known, weighed] = [0, 0];
  for (const stretch of tariff.stretches(from, end)) {
    if (stretch.dollarsPerKWh === undefined) continue;
    known += stretch.until - stretch.from;
    weighed += stretch.dollarsPerKWh * (stretch.until - stretch.from);
  }
  return known === 0 ? undefined : { dollarsPerKWh: weighed / known, known: known / (end - from) };
}
