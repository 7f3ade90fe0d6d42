import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BREAKS_AT,
  canaryWaitMs,
  isBroken,
  type JobEnd,
  type Streak,
  streakAfter,
} from '../../../src/domain/gpu-breaker.ts';

const quick = (run: string): JobEnd => ({ run, failedQuickly: true });
const other = (run: string): JobEnd => ({ run, failedQuickly: false });
const after = (...ends: readonly JobEnd[]): Streak => ends.reduce<Streak>(streakAfter, []);

describe('a streak of quick failures', () => {
  test.each<[string, readonly JobEnd[], boolean]>([
    ['three runs', [quick('a'), quick('b'), quick('c')], true],
    ['two runs', [quick('a'), quick('b')], false],
    ['many jobs of one run', [quick('a'), quick('a'), quick('a'), quick('a')], false],
    ['a run comes twice among three', [quick('a'), quick('b'), quick('a'), quick('c')], true],
    ['another end comes between', [quick('a'), quick('b'), other('x'), quick('c')], false],
    ['another end of the same run comes between', [quick('a'), quick('b'), other('a'), quick('c')], false],
  ])('%s', (_, ends, broken) => {
    expect(isBroken(after(...ends))).toBe(broken);
  });

  test('breaks if and only if the last ends without another one are of so many runs', () => {
    const end = fc.record({ run: fc.constantFrom('a', 'b', 'c', 'd', 'e'), failedQuickly: fc.boolean() });
    fc.assert(
      fc.property(fc.array(end, { maxLength: 30 }), (ends) => {
        const last = ends.findLastIndex(({ failedQuickly }) => !failedQuickly);
        const runs = new Set(ends.slice(last + 1).map(({ run }) => run));
        expect(isBroken(after(...ends))).toBe(runs.size >= BREAKS_AT);
      }),
    );
  });
});

test('canaries come at once, then a minute apart, then twice as far, and at last every 15 minutes', () => {
  expect([0, 1, 2, 3, 4, 5, 6, 1000].map(canaryWaitMs)).toEqual(
    [0, 1, 2, 4, 8, 15, 15, 15].map((minutes) => minutes * 60_000),
  );
});
