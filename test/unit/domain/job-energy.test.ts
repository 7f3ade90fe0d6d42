import { describe, expect, test } from 'vitest';
import { isMeasured, jobEnergyOf, marginalJoules, unmeasured } from '../../../src/domain/job-energy.ts';

describe('the energy of a job', () => {
  test.each([
    ['all measured', 60_000, 60_000, true, false],
    ['98 % measured', 58_800, 60_000, true, false],
    ['less than 98 % measured', 58_799, 60_000, true, true],
    ['a sensor that sees a part of the time', 60_000, 60_000, false, true],
    ['no time at all', 0, 0, true, false],
  ])('%s', (_, coveredMs, ms, isExact, isEstimate) => {
    const energy = jobEnergyOf({ joules: 6_000, idleJoules: 600, coveredMs }, ms, isExact);
    expect(energy).toEqual({ joules: 6_000, idleJoules: 600, coveredMs, ms, isEstimate });
  });

  test('is never below zero, no more idle than all, and measured no longer than it ran', () => {
    expect(jobEnergyOf({ joules: 100, idleJoules: 130, coveredMs: 1_005 }, 1_000, true)).toMatchObject({
      idleJoules: 100,
      coveredMs: 1_000,
    });
    expect(jobEnergyOf({ joules: -1, idleJoules: -2, coveredMs: -3 }, -4, true)).toMatchObject({
      joules: 0,
      idleJoules: 0,
      coveredMs: 0,
      ms: 0,
    });
  });

  test('above idle counts what was not measured as the mean of what was', () => {
    const half = jobEnergyOf({ joules: 3_000, idleJoules: 300, coveredMs: 30_000 }, 60_000, true);
    expect(marginalJoules(half)).toBe(5_400);
    expect([isMeasured(unmeasured(60_000)), marginalJoules(unmeasured(60_000))]).toEqual([false, undefined]);
  });
});
