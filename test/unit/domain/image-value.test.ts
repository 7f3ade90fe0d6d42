import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ImageDemand, imageValuePerDay } from '../../../src/domain/image-value.ts';

const DEMAND: ImageDemand = {
  wantedByDay: [10],
  tries: 8,
  wins: 4,
  earnedMicroDollars: 4000,
  expectedMicroDollars: 7,
};

describe('the value of an image', () => {
  test.each<[string, Partial<ImageDemand>, number]>([
    ['runs a day x chance x earnings of a win', {}, 5000],
    ['a win is expected to earn what the ask brings before the first', { tries: 0, wins: 0 }, 35],
    ['nobody ever wanted it', { wantedByDay: [] }, 0],
    ['its runs stopped three days ago', { wantedByDay: [0, 0, 0, 10] }, 855],
    ['its wins earned nothing', { earnedMicroDollars: 0 }, 0],
  ])('where %s', (_, change, value) => {
    expect(imageValuePerDay({ ...DEMAND, ...change })).toBe(value);
  });

  test('is a whole number that never falls with the demand', () => {
    const days = fc.array(fc.nat(1000), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(days, fc.nat(29), (wantedByDay, day) => {
        const value = imageValuePerDay({ ...DEMAND, wantedByDay });
        const more = wantedByDay.map((runs, at) => (at === day ? runs + 1 : runs));
        expect(Number.isSafeInteger(value)).toBe(true);
        expect(imageValuePerDay({ ...DEMAND, wantedByDay: more })).toBeGreaterThanOrEqual(value);
      }),
    );
  });
});
