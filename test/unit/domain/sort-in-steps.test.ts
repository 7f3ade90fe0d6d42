import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sortInSteps } from '../../../src/domain/sort-in-steps.ts';

/** The sorted list, and in how many steps. */
function sorted<T>(items: readonly T[], compare: (a: T, b: T) => number) {
  const sort = sortInSteps(items, compare);
  for (let steps = 0; ; steps += 1) {
    const { done, value } = sort.next();
    if (done === true) return { list: value, steps };
  }
}

test('sorts as toSorted does; equal items keep their order', () => {
  const item = fc.record({ key: fc.integer({ min: 0, max: 50 }), id: fc.integer() });
  fc.assert(
    fc.property(fc.array(item, { maxLength: 2_000, size: 'max' }), (items) => {
      const compare = (a: { key: number }, b: { key: number }) => a.key - b.key;
      expect(sorted(items, compare).list).toEqual(items.toSorted(compare));
    }),
    { numRuns: 30 },
  );
});

test('takes a step for some hundred items at most', () => {
  const items = Array.from({ length: 100_000 }, (_, index) => (index * 7_919) % 100_003);
  let compared = 0;
  let most = 0;
  const sort = sortInSteps(items, (a, b) => {
    compared += 1;
    return a - b;
  });
  while (sort.next().done !== true) {
    most = Math.max(most, compared);
    compared = 0;
  }
  expect(most).toBeLessThan(3_000);
});
