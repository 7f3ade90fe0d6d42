import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cut } from '../../../src/lib/cut.ts';

test.each([
  ['short', 5, 'short'],
  ['longer', 5, 'longe… (6 characters)'],
  ['a😀b', 2, 'a… (4 characters)'],
  ['', 0, ''],
])('%j at most %d: %j', (text, max, expected) => {
  expect(cut(text, max)).toBe(expected);
});

test('a text of whole characters stays one', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, max) => {
      expect(cut(text, max).isWellFormed()).toBe(true);
    }),
  );
});
