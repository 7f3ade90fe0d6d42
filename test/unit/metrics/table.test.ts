import { expect, test } from 'vitest';
import type { Metric } from '../../../src/metrics/metric.ts';
import { METRICS } from '../../../src/metrics/table.ts';

const ALL = Object.values<Metric>(METRICS);

test('names are unique and follow the conventions of Prometheus', () => {
  expect(new Set(ALL.map(({ name }) => name)).size).toBe(ALL.length);
  for (const { name, type, unit } of ALL) {
    expect(name).toMatch(/^[a-z][a-z0-9_]*[a-z]$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    if (unit !== undefined) expect(name).toContain(`_${unit}`);
  }
});

test('counters and histograms say since when they count, histograms have rising buckets, and gauges neither', () => {
  for (const { buckets = [], since, type } of ALL) {
    expect(since !== undefined).toBe(type !== 'gauge');
    expect(buckets.length > 0).toBe(type === 'histogram');
    expect(buckets).toEqual(buckets.toSorted((a, b) => a - b));
  }
});

test('no label has values that a buyer controls', () => {
  const labels = new Set(ALL.flatMap((metric) => metric.labels));
  expect([...labels].sort()).toEqual([
    'check',
    'code',
    'endpoint',
    'event',
    'gpu',
    'index',
    'model',
    'node',
    'offer',
    'outcome',
    'owner',
    'profile',
    'reason',
    'result',
    'state',
    'use',
    'version',
  ]);
});
