import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BREAKER_THRESHOLD,
  isTripped,
  type JobEnd,
  type Streak,
  streakAfter,
} from '../../../src/domain/gpu-breaker.ts';

const quick = (run: string): JobEnd => ({ run, failedQuickly: true });
const other = (run: string): JobEnd => ({ run, failedQuickly: false });
const after = (...ends: readonly JobEnd[]): Streak => ends.reduce<Streak>(streakAfter, []);

describe('a streak of quick failures', () => {
  test.each<[string, readonly JobEnd[], boolean]>([
    ['of three runs trips', [quick('a'), quick('b'), quick('c')], true],
    ['of two runs does not trip', [quick('a'), quick('b')], false],
    ['of one run does not trip', [quick('a'), quick('a'), quick('a'), quick('a')], false],
    ['of three runs with one repeated trips', [quick('a'), quick('b'), quick('a'), quick('c')], true],
    ['with another end in between does not trip', [quick('a'), quick('b'), other('x'), quick('c')], false],
    [
      'with another end of the same run in between does not trip',
      [quick('a'), quick('b'), other('a'), quick('c')],
      false,
    ],
  ])('%s', (_, ends, tripped) => {
    expect(isTripped(after(...ends))).toBe(tripped);
  });

  test('trips if and only if the latest quick failures are of enough runs', () => {
    const end = fc.record({ run: fc.constantFrom('a', 'b', 'c', 'd', 'e'), failedQuickly: fc.boolean() });
    fc.assert(
      fc.property(fc.array(end, { maxLength: 30 }), (ends) => {
        const last = ends.findLastIndex(({ failedQuickly }) => !failedQuickly);
        const runs = new Set(ends.slice(last + 1).map(({ run }) => run));
        expect(isTripped(after(...ends))).toBe(runs.size >= BREAKER_THRESHOLD);
      }),
    );
  });
});
