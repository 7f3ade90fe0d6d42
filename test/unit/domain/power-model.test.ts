import { describe, expect, test } from 'vitest';
import {
  idleWatts,
  isPartTimeSensor,
  type MeasuredPower,
  powerModelOf,
  withWatts,
} from '../../../src/domain/power-model.ts';

const NOTHING: MeasuredPower = { gpu: 'GPU-1', idleW: [], busyW: [] };

describe('the power of a GPU', () => {
  test('idle is low among what was measured without a job, so that a game does not count', () => {
    expect(idleWatts([])).toBeUndefined();
    expect(idleWatts([22])).toBe(22);
    expect(idleWatts([180, 21, 20, 22, 190, 21, 175, 21, 200, 60])).toBe(21);
  });

  test('at work is the most that a job took, and while there are few jobs its limit', () => {
    expect(powerModelOf(undefined, 350)).toEqual({
      idleW: undefined,
      busyW: 350,
      isMeasured: false,
      jobs: 0,
    });
    expect(powerModelOf({ idleW: [20], busyW: [] }, undefined)).toEqual({
      idleW: 20,
      busyW: undefined,
      isMeasured: false,
      jobs: 0,
    });
    const few = { idleW: [20], busyW: [200, 300, 90] };
    expect(powerModelOf(few, 350)).toEqual({ idleW: 20, busyW: 350, isMeasured: false, jobs: 3 });
    expect(powerModelOf(few, undefined)).toEqual({ idleW: 20, busyW: 300, isMeasured: true, jobs: 3 });
    const some = { idleW: [20], busyW: [200, 300, 90, 100] };
    expect(powerModelOf(some, 350)).toEqual({ idleW: 20, busyW: 300, isMeasured: true, jobs: 4 });
  });

  test('is remembered of the latest only', () => {
    let measured = NOTHING;
    for (let n = 0; n < 200; n += 1) measured = withWatts(withWatts(measured, 'idle', n), 'busy', n);
    expect([measured.idleW.length, measured.idleW.at(-1)]).toEqual([144, 199]);
    expect([measured.busyW.length, measured.busyW[0]]).toEqual([16, 184]);
  });

  test.each([
    ['NVIDIA A100-SXM4-40GB', true],
    ['NVIDIA H100 80GB HBM3', true],
    ['NVIDIA GeForce RTX 3090', false],
    ['NVIDIA A10', false],
    ['Tesla T4', false],
  ])('of a %s is seen a part of the time: %s', (model, isPart) => {
    expect(isPartTimeSensor(model)).toBe(isPart);
  });
});
