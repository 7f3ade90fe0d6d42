import { type Distribution, type LabelsOf, type Metric, type MetricValues, valuesOf } from './metric.ts';

/** Counts from the start of the agent on. */
export class Counter<M extends Metric> {
  readonly #metric: M;
  readonly #series = new Map<string, { readonly labels: LabelsOf<M>; value: number }>();

  constructor(metric: M) {
    this.#metric = metric;
  }

  /** Adds to the series; by 0 it only begins to exist, so that its first step is seen. */
  add(labels: LabelsOf<M>, by = 1): void {
    const key = JSON.stringify(labels);
    const known = this.#series.get(key);
    if (known === undefined) this.#series.set(key, { labels, value: by });
    else known.value += by;
  }

  get values(): MetricValues {
    return valuesOf(
      this.#metric,
      [...this.#series.values()].map(({ labels, value }) => [labels, value]),
    );
  }
}

/** A distribution from the start of the agent on. */
export class Histogram<M extends Metric & { readonly buckets: readonly number[] }> {
  readonly #metric: M;
  readonly #series = new Map<string, { readonly labels: LabelsOf<M>; counts: number[]; sum: number }>();

  constructor(metric: M) {
    this.#metric = metric;
  }

  observe(labels: LabelsOf<M>, value: number): void {
    const { buckets } = this.#metric;
    const key = JSON.stringify(labels);
    const known = this.#series.get(key) ?? { labels, counts: [...buckets, 0].map(() => 0), sum: 0 };
    const bucket = buckets.findIndex((end) => value <= end);
    const place = bucket < 0 ? buckets.length : bucket;
    known.counts[place] = (known.counts[place] ?? 0) + 1;
    known.sum += value;
    this.#series.set(key, known);
  }

  get values(): MetricValues {
    const distributions: readonly Distribution[] = [...this.#series.values()];
    return { metric: this.#metric, distributions };
  }
}
