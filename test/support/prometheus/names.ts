import type { Metric } from '../../../src/metrics/metric.ts';
import { METRICS } from '../../../src/metrics/table.ts';

/** Every series by its name, also the three kinds of a histogram. */
const SERIES: ReadonlySet<string> = new Set([
  'up',
  ...Object.values<Metric>(METRICS).flatMap(({ name, type }) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((end) => `${name}${end}`) : [name],
  ),
]);

const LABELS: ReadonlySet<string> = new Set([
  'instance',
  'job',
  'le',
  ...Object.values<Metric>(METRICS).flatMap(({ labels }) => labels),
]);

/** Functions and keywords of PromQL, as far as they are used. */
const WORDS: ReadonlySet<string> = new Set(
  'sum max min count increase rate histogram_quantile min_over_time time by without on group_left and or offset'.split(
    ' ',
  ),
);

/** The names in a query that are neither PromQL nor of a metric or label that the agent exposes. */
export function unknownNames(expr: string): readonly string[] {
  const code = expr.replaceAll(/"[^"]*"/g, '').replaceAll(/\[[^\]]*\]|offset \w+/g, '');
  const names = code.match(/\b[a-z_][\w:]*/gi) ?? [];
  return names.filter((name) => !SERIES.has(name) && !LABELS.has(name) && !WORDS.has(name));
}
