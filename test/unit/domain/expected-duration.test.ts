import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { expectedDurationMs } from '../../../src/domain/expected-duration.ts';

describe('the expected duration of a job', () => {
  test.each([
    ['nothing is known', [], 60],
    ['one job is known', [7], 7],
    ['four are known: the longest', [1, 4, 3, 2], 4],
    ['five are known: the second longest', [5, 1, 4, 2, 3], 4],
    ['ten are known', [1, 2, 3, 4, 5, 6, 7, 8, 9, 50], 8],
    ['the job timeout was longer once', [90, 90], 60],
  ])('where %s', (_, durations, expected) => {
    expect(expectedDurationMs(durations, 60)).toBe(expected);
  });

  test('is no less than four fifths of the known ones, and never more than the job timeout', () => {
    const durations = fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(durations, fc.integer({ min: 1, max: 100 }), (known, timeout) => {
        const expected = expectedDurationMs(known, timeout);
        expect(expected).toBeLessThanOrEqual(timeout);
        const shorter = known.filter((one) => Math.min(one, timeout) <= expected);
        expect(shorter.length).toBeGreaterThanOrEqual(0.8 * known.length);
      }),
    );
  });
});
