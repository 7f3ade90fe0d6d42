import { expect, test } from 'vitest';
import { linesOf } from '../../support/name-skipped.ts';

test('names what was skipped in full, and a suite that says why once for all that is in it', () => {
  const skipped = [
    ['an attack', 'by fork (skipped: no Docker engine answers)', 'ends'],
    ['an attack', 'by fork (skipped: no Docker engine answers)', 'deeper', 'leaves nothing'],
    ['a page', 'is roff (needs groff)'],
    ['captures (skipped: none here)'],
  ];
  expect(linesOf(skipped)).toEqual([
    '↓ an attack > by fork (skipped: no Docker engine answers)',
    '↓ a page > is roff (needs groff)',
    '↓ captures (skipped: none here)',
  ]);
});

test.each([
  [/page is/, ['↓ a page > is roff']],
  [/^is/, []],
  [/roff$/g, ['↓ a page > is roff']],
])('does not name what %s did not ask for', (asked, lines) => {
  const skipped = [['a page', 'is roff'], ['another test']];
  expect(linesOf(skipped, asked)).toEqual(lines);
});

test('says nothing where nothing was skipped', () => {
  expect(linesOf([])).toEqual([]);
});
