/** A metric as the table describes it. */
export type Metric = {
  /** As it is exposed: of a counter with `_total`. */
  readonly name: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Base units only; undefined: a number without one. */
  readonly unit?: 'seconds' | 'bytes' | 'joules' | 'watts' | 'celsius' | 'dollars' | 'ratio';
  /** Names of labels. The values of each come from a fixed set, or from this host's GPUs and offers. */
  readonly labels: readonly string[];
  /** Of a histogram: the upper ends of its buckets, rising, without infinity. */
  readonly buckets?: readonly number[];
  /** Of a counter or histogram: since when it counts. */
  readonly since?: 'the first start' | 'this start';
};

/** The labels of a metric with their values. */
export type LabelsOf<M extends Metric> = Readonly<Record<M['labels'][number], string>>;

/** One line of a counter or gauge. */
export type Sample = { readonly labels: Readonly<Record<string, string>>; readonly value: number };

/** What a histogram has seen with some labels; `counts` of each bucket alone, the last of all beyond. */
export type Distribution = {
  readonly labels: Readonly<Record<string, string>>;
  readonly counts: readonly number[];
  readonly sum: number;
};

/** A metric with its values now. */
export type MetricValues =
  | { readonly metric: Metric; readonly samples: readonly Sample[] }
  | { readonly metric: Metric; readonly distributions: readonly Distribution[] };

/** The values of a counter or gauge. What is not known is left out. */
export function valuesOf<M extends Metric>(
  metric: M,
  values: Iterable<readonly [LabelsOf<M>, number | null | undefined]>,
): MetricValues {
  const samples: Sample[] = [];
  for (const [labels, value] of values)
    if (typeof value === 'number' && Number.isFinite(value)) samples.push({ labels, value });
  return { metric, samples };
}

/** The value of a metric without labels. */
export function single(
  metric: Metric & { readonly labels: readonly [] },
  value: number | undefined,
): MetricValues {
  return valuesOf(metric, [[{}, value]]);
}
