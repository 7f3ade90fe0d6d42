import type { Distribution, Metric, MetricValues } from './metric.ts';

/** The two formats that Prometheus reads. */
export type Format = 'text' | 'openmetrics';

export const CONTENT_TYPES: Readonly<Record<Format, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

/** The format for a scraper that accepts these media types. */
export function formatFor(accept: string | undefined): Format {
  return /application\/openmetrics-text(?!\s*[^,]*;\s*q=0(\.0*)?\s*(,|$))/i.test(accept ?? '')
    ? 'openmetrics'
    : 'text';
}

/** The text of all metrics. Pure. One without a value is left out. */
export function expose(metrics: readonly MetricValues[], format: Format): string {
  const lines: string[] = [];
  for (const one of metrics) {
    const { metric } = one;
    const values =
      'samples' in one
        ? one.samples.map(({ labels, value }) => line(metric.name, labels, value))
        : one.distributions.flatMap((distribution) => bucketLines(metric, distribution));
    if (values.length > 0) lines.push(...headOf(metric, format), ...values);
  }
  if (format === 'openmetrics') lines.push('# EOF');
  return `${lines.join('\n')}\n`;
}

/** OpenMetrics names a counter without its suffix, and escapes more. */
function headOf({ help, name, type, unit }: Metric, format: Format): readonly string[] {
  if (format === 'text') return [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`];
  const base = type === 'counter' ? name.replace(/_total$/, '') : name;
  return [
    `# TYPE ${base} ${type}`,
    ...(unit !== undefined && base.endsWith(`_${unit}`) ? [`# UNIT ${base} ${unit}`] : []),
    `# HELP ${base} ${escapeLabel(help)}`,
  ];
}

function bucketLines({ buckets = [], name }: Metric, one: Distribution): readonly string[] {
  const { counts, labels, sum } = one;
  let below = 0;
  const lines = [...buckets, Number.POSITIVE_INFINITY].map((end, place) => {
    below += counts[place] ?? 0;
    return line(`${name}_bucket`, { ...labels, le: endText(end) }, below);
  });
  return [...lines, line(`${name}_sum`, labels, sum), line(`${name}_count`, labels, below)];
}

/** As a float in both formats, so that both name the same series. */
function endText(end: number): string {
  if (end === Number.POSITIVE_INFINITY) return '+Inf';
  return Number.isInteger(end) ? `${end}.0` : `${end}`;
}

function line(name: string, labels: Readonly<Record<string, string>>, value: number): string {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join()}}`} ${value}`;
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/** A lone surrogate would be no UTF-8. */
function escapeLabel(text: string): string {
  return escapeHelp(text.toWellFormed()).replaceAll('"', '\\"');
}
