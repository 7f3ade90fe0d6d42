import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  energyJ,
  type GpuRollup,
  MAX_GAP_MS,
  meanOf,
  merged,
  rollupsBetween,
  spanStart,
} from '../../../src/domain/gpu-rollup.ts';
import type { GpuSample } from '../../../src/domain/gpu-sample.ts';
import { aSample } from '../../support/agent/manual-sampler.ts';

const NOON = Date.UTC(2026, 10, 27, 12);

/** What happens from one sample to another that is read `ms` later. */
function between(from: Partial<GpuSample>, to: Partial<GpuSample>, ms: number): readonly GpuRollup[] {
  const sample = (more: Partial<GpuSample>): GpuSample => aSample({ uuid: 'GPU-1', at: NOON, ...more });
  return rollupsBetween(
    { sample: sample(from), readAt: 1_000 },
    { sample: sample({ at: NOON + ms, ...to }), readAt: 1_000 + ms },
  );
}

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);
const totalJ = (rollups: readonly GpuRollup[]): number => sum(rollups.map((rollup) => energyJ(rollup) ?? 0));

describe('between two samples', () => {
  test('power is integrated by the trapezoid', () => {
    const [only, ...more] = between({ powerW: 100 }, { powerW: 300 }, 1_000);
    expect(more).toEqual([]);
    expect(only).toEqual({
      gpu: 'GPU-1',
      start: NOON,
      coveredMs: 1_000,
      figures: { powerW: { knownMs: 1_000, integral: 200, max: 300 } },
    });
  });

  test('a minute ends where it ends, in the middle of a straight line', () => {
    const rollups = between({ powerW: 0, at: NOON - 1 }, { powerW: 60, at: NOON + 90_000 }, 60_000);
    expect(rollups).toMatchObject([
      { start: NOON, coveredMs: 30_000, figures: { powerW: { integral: 450, max: 30 } } },
      { start: NOON + 60_000, coveredMs: 30_000, figures: { powerW: { integral: 1_350, max: 60 } } },
    ]);
  });

  test('a long gap counts only so much', () => {
    const rollups = between({ powerW: 100 }, { powerW: 100 }, 3_600_000);
    expect(sum(rollups.map(({ coveredMs }) => coveredMs))).toBe(MAX_GAP_MS);
    expect(totalJ(rollups)).toBeCloseTo((100 * MAX_GAP_MS) / 1_000);
  });

  test.each<readonly [string, Partial<GpuSample>, Partial<GpuSample>, number]>([
    ['no time passed', { powerW: 1 }, { powerW: 1 }, 0],
    ['it slept before', { asleep: true }, { powerW: 1 }, 1_000],
    ['it sleeps now', { powerW: 1 }, { asleep: true }, 1_000],
  ])('nothing is kept where %s', (_, from, to, ms) => expect(between(from, to, ms)).toEqual([]));

  test('a figure that one of them lacks is unknown meanwhile, and the others are not', () => {
    const [rollup] = between({ powerW: 5, temperatureC: 40 }, { temperatureC: 42 }, 1_000);
    expect(rollup?.coveredMs).toBe(1_000);
    expect(rollup === undefined ? 0 : energyJ(rollup)).toBeUndefined();
    expect(meanOf(rollup?.figures.temperatureC)).toBe(41);
    expect(meanOf(rollup?.figures.powerW)).toBeUndefined();
  });

  test('a clock that is set meanwhile changes the minute and no amount', () => {
    const back = between({ powerW: 100 }, { powerW: 100, at: NOON - 7_200_000 }, 1_000);
    expect(back).toMatchObject([{ start: NOON - 7_260_000, coveredMs: 1_000 }]);
    expect(totalJ(back)).toBeCloseTo(100);
  });

  test('energy, time and maximum are right however the minutes lie', () => {
    const right = fc.property(
      fc.integer({ min: 0, max: 700 }),
      fc.integer({ min: 0, max: 700 }),
      fc.integer({ min: 1, max: 2 * MAX_GAP_MS }),
      fc.integer({ min: 0, max: 120_000 }),
      (from, to, ms, offset) => {
        const rollups = between({ powerW: from }, { powerW: to, at: NOON + offset }, ms);
        const coveredMs = Math.min(ms, MAX_GAP_MS);
        expect(sum(rollups.map((rollup) => rollup.coveredMs))).toBeCloseTo(coveredMs, 3);
        expect(totalJ(rollups)).toBeCloseTo((((from + to) / 2) * coveredMs) / 1_000, 3);
        expect(Math.max(...rollups.map(({ figures }) => figures.powerW?.max ?? 0))).toBeCloseTo(
          Math.max(from, to),
          6,
        );
        for (const { coveredMs: own, start } of rollups) {
          expect(start).toBe(spanStart(start, 60_000));
          expect(own).toBeGreaterThan(0);
          expect(own).toBeLessThanOrEqual(60_000);
        }
      },
    );
    fc.assert(right);
  });
});

test('two rollups become one, with what only one of them knows', () => {
  const figure = { knownMs: 1_000, integral: 50, max: 60 };
  const other = { knownMs: 500, integral: 5, max: 70 };
  const a = {
    gpu: 'GPU-1',
    start: NOON,
    coveredMs: 1_000,
    figures: { powerW: figure, temperatureC: figure },
  };
  expect(merged(a, { coveredMs: 500, figures: { powerW: other, memoryUsedMiB: other } })).toEqual({
    gpu: 'GPU-1',
    start: NOON,
    coveredMs: 1_500,
    figures: {
      powerW: { knownMs: 1_500, integral: 55, max: 70 },
      temperatureC: figure,
      memoryUsedMiB: other,
    },
  });
});
