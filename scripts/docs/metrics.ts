import type { Metric } from '../../src/metrics/metric.ts';
import { METRICS } from '../../src/metrics/table.ts';

/** A row for each metric: its name with labels, type, unit and meaning. */
export function metricsRows(): readonly (readonly string[])[] {
  return Object.values<Metric>(METRICS).map((metric) => [
    `\`${metric.name}${metric.labels.length === 0 ? '' : `{${metric.labels.join()}}`}\``,
    metric.type,
    metric.unit ?? '',
    metric.since ?? '',
    metric.help,
  ]);
}
