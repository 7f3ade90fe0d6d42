import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GpuRollup, meanOf, merged } from '../../../src/domain/gpu-rollup.ts';
import type { RollupPoints } from '../../../src/journal/gpu-rollups.ts';
import { batches, type Interval, MAX_POINTS, stepFor } from '../../../src/journal/rollup-points.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { openScratch } from '../../support/journal/scratch.ts';

const NOON = Date.UTC(2026, 10, 27, 12);
const MINUTE_MS = 60_000;

function points(journal: SqliteJournal, span: 'minute' | 'hour', interval: Interval): RollupPoints {
  const steps = journal.gpuRollups.points(span, interval);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

const anInterval = fc
  .tuple(fc.integer({ min: 0, max: 10 * 86_400_000 }), fc.integer({ min: 1, max: 731 * 86_400_000 }))
  .map(([from, length]) => ({ fromMs: NOON + from, toMs: NOON + from + length }));

describe('an interval', () => {
  test('has steps of whole spans, and no more of them than points are allowed', () => {
    fc.assert(
      fc.property(anInterval, fc.constantFrom(MINUTE_MS, 60 * MINUTE_MS), (interval, spanMs) => {
        const stepMs = stepFor(interval, spanMs);
        expect(stepMs % spanMs).toBe(0);
        const [first, last] = [interval.fromMs, interval.toMs - 1].map((at) => Math.floor(at / stepMs));
        expect((last ?? 0) - (first ?? 0) + 1).toBeLessThanOrEqual(MAX_POINTS);
      }),
    );
  });

  test('is read in parts that cover it, and share no step', () => {
    fc.assert(
      fc.property(anInterval, fc.constantFrom(MINUTE_MS, 60 * MINUTE_MS), (interval, spanMs) => {
        const stepMs = stepFor(interval, spanMs);
        const parts = [...batches(interval, stepMs, spanMs)];
        expect(parts.at(0)?.fromMs).toBe(interval.fromMs);
        expect(parts.at(-1)?.toMs).toBe(interval.toMs);
        for (const [index, part] of parts.slice(1).entries()) {
          expect(part.fromMs).toBe(parts[index]?.toMs);
          expect(part.fromMs % stepMs).toBe(0);
        }
      }),
    );
  });
});

const figure = fc.option(
  fc.record({
    knownMs: fc.integer({ min: 1, max: MINUTE_MS }),
    integral: fc.integer({ min: 0, max: 30_000 }),
  }),
  { nil: undefined },
);
const someRollups = fc.uniqueArray(
  fc.record({
    minute: fc.integer({ min: 0, max: 4_000 }),
    gpu: fc.constantFrom('GPU-1', 'GPU-2'),
    powerW: figure,
    temperatureC: figure,
  }),
  { selector: ({ gpu, minute }) => `${gpu} ${minute}`, maxLength: 60 },
);

test('a point is the mean of its rollups weighted by the time in which a figure was known', () => {
  const journal = openScratch();
  let base = NOON;
  fc.assert(
    fc.property(someRollups, fc.integer({ min: 1, max: 4_000 }), (some, minutes) => {
      // Each case has a time of its own in one journal.
      base += 30 * 86_400_000;
      const rollups = some.map(({ gpu, minute, powerW, temperatureC }): GpuRollup => {
        const figures = {
          ...(powerW && { powerW: { ...powerW, max: 1 } }),
          ...(temperatureC && { temperatureC: { ...temperatureC, max: 1 } }),
        };
        return { gpu, start: base + minute * MINUTE_MS, coveredMs: MINUTE_MS, figures };
      });
      journal.gpuRollups.add(rollups);
      const interval = { fromMs: base, toMs: base + minutes * MINUTE_MS };
      const { gpus, stepMs } = points(journal, 'minute', interval);
      const within = rollups.filter(({ start }) => start < interval.toMs);
      const expected = Map.groupBy(within, ({ gpu, start }) => `${gpu} ${start - (start % stepMs)}`);
      const found = [...gpus].flatMap(([gpu, list]) => list.map((point) => ({ gpu, ...point })));
      expect(new Set(found.map(({ at, gpu }) => `${gpu} ${at}`))).toEqual(new Set(expected.keys()));
      for (const point of found) {
        const [first, ...more] = expected.get(`${point.gpu} ${point.at}`) ?? [];
        if (first === undefined) continue;
        const all = more.reduce((sum, one) => merged(sum, one), first);
        for (const key of ['powerW', 'temperatureC'] as const) {
          const mean = meanOf(all.figures[key]);
          if (mean === undefined) expect(point[key]).toBeNull();
          else expect(point[key]).toBeCloseTo(mean, 6);
        }
        expect(point.utilizationPercent).toBeNull();
      }
    }),
    { numRuns: 25 },
  );
});
