import fc from 'fast-check';
import { expect, test } from 'vitest';
import { expose, formatFor } from '../../../src/metrics/exposition.ts';
import { type Metric, single, valuesOf } from '../../../src/metrics/metric.ts';
import { Counter, Histogram } from '../../../src/metrics/series.ts';
import { describePrometheus, promtool } from '../../support/prometheus/describe.ts';

const gauge = { name: 'a_bytes', type: 'gauge', help: 'A.', unit: 'bytes', labels: [] } as const;
const counter = { name: 'b_total', type: 'counter', help: 'B.', labels: ['one', 'two'] } as const;
const histogram = {
  name: 'c_seconds',
  type: 'histogram',
  help: 'C.',
  unit: 'seconds',
  labels: ['code'],
  buckets: [0.5, 1, 10],
} as const;

test('a gauge, a counter and a histogram in the text format', () => {
  const counted = new Counter(counter);
  counted.add({ one: 'x', two: 'y' });
  counted.add({ one: 'x', two: 'y' }, 2);
  counted.add({ one: 'x', two: 'z' }, 0);
  const seen = new Histogram(histogram);
  for (const value of [0.5, 0.7, 1, 9, 11, 12]) seen.observe({ code: '200' }, value);
  expect(expose([single(gauge, 5), counted.values, seen.values], 'text').split('\n')).toEqual([
    '# HELP a_bytes A.',
    '# TYPE a_bytes gauge',
    'a_bytes 5',
    '# HELP b_total B.',
    '# TYPE b_total counter',
    'b_total{one="x",two="y"} 3',
    'b_total{one="x",two="z"} 0',
    '# HELP c_seconds C.',
    '# TYPE c_seconds histogram',
    'c_seconds_bucket{code="200",le="0.5"} 1',
    'c_seconds_bucket{code="200",le="1.0"} 3',
    'c_seconds_bucket{code="200",le="10.0"} 4',
    'c_seconds_bucket{code="200",le="+Inf"} 6',
    'c_seconds_sum{code="200"} 34.2',
    'c_seconds_count{code="200"} 6',
    '',
  ]);
});

test('OpenMetrics names a counter without its suffix, its unit, and the end', () => {
  const counted = new Counter(counter);
  counted.add({ one: 'x', two: 'y' });
  expect(expose([single(gauge, 5), counted.values], 'openmetrics').split('\n')).toEqual([
    '# TYPE a_bytes gauge',
    '# UNIT a_bytes bytes',
    '# HELP a_bytes A.',
    'a_bytes 5',
    '# TYPE b counter',
    '# HELP b B.',
    'b_total{one="x",two="y"} 1',
    '# EOF',
    '',
  ]);
});

test('what is not known is left out, with its head', () => {
  expect(expose([single(gauge, undefined), single(gauge, Number.NaN)], 'text')).toBe('\n');
});

test('whatever stands in a label and a help text, it is read as it was and makes no line', () => {
  const words = fc.string({ unit: 'binary', maxLength: 40 });
  fc.assert(
    fc.property(words, words, (label, help) => {
      const metric: Metric = { name: 'x_bytes', type: 'gauge', help: `X${help}`, labels: ['l'] };
      const lines = expose([valuesOf(metric, [[{ l: label }, 1]])], 'text').split('\n');
      expect(lines).toHaveLength(4);
      const escaped = /l="(.*)"/s.exec(lines[2] ?? '')?.[1] ?? '';
      const read = escaped.replaceAll(/\\(.)/g, (_, one: string) => (one === 'n' ? '\n' : one));
      expect(read).toBe(label.toWellFormed());
    }),
    { numRuns: 300 },
  );
});

describePrometheus('by promtool', () => {
  test('hostile labels are read', () => {
    const metric: Metric = { name: 'x_bytes', type: 'gauge', help: 'a \\ "b"\nc', labels: ['l'] };
    const hostile = ['"} 1\nevil 2', '\\', '\\"', '\\n', '\ud800', '{}', '', '💥', '\r', '\0'];
    const text = expose(
      [
        valuesOf(
          metric,
          hostile.map((l) => [{ l }, 1] as const),
        ),
      ],
      'text',
    );
    expect(promtool(['check', 'metrics'], text)).toEqual({ status: 0, output: '' });
  });
});

test.each([
  [undefined, 'text'],
  ['*/*', 'text'],
  ['text/plain;version=0.0.4', 'text'],
  ['application/openmetrics-text; version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1', 'openmetrics'],
  ['application/openmetrics-text;version=1.0.0;q=0,text/plain', 'text'],
  ['application/openmetrics-text;version=1.0.0;q=0.5', 'openmetrics'],
])('for a scraper that accepts %s the format is %s', (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});
