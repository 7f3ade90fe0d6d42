import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Column, table } from '../../../src/cli/table.ts';
import { aPage } from '../../support/cli/page.ts';

type Row = { readonly id: string; readonly text: string; readonly amount: string };
const COLUMNS: readonly Column<Row>[] = [
  { title: 'ID', cell: ({ id }) => id },
  { title: 'TEXT', cell: ({ text }) => text, wrap: true },
  { title: 'AMOUNT', cell: ({ amount }) => amount, right: true },
];

describe('a table', () => {
  test('is as wide as its cells where there is room', () => {
    const rows = [{ id: 'a', text: 'some words', amount: '1' }];
    expect(table(COLUMNS, rows, aPage(80))).toBe('ID  TEXT        AMOUNT\na   some words       1\n');
  });

  test('wraps the columns that may wrap, and keeps every word', () => {
    const rows = [{ id: 'a', text: 'one two three four', amount: '1' }];
    expect(table(COLUMNS, rows, aPage(24))).toBe(
      ['ID  TEXT          AMOUNT', 'a   one two            1', '    three four', ''].join('\n'),
    );
  });

  test('fits any terminal that has room for the columns that do not wrap', () => {
    const row = fc.record({
      id: fc.stringMatching(/^[a-z]{1,8}$/),
      text: fc.stringMatching(/^[a-z ]{0,200}$/),
      amount: fc.stringMatching(/^[0-9]{1,6}$/),
    });
    fc.assert(
      fc.property(fc.array(row), fc.integer({ min: 30, max: 200 }), (rows, width) => {
        const text = table(COLUMNS, rows, aPage(width));
        expect(text.split('\n').filter((line) => line.length > width)).toEqual([]);
        const letters = (all: string) => all.replace(/[^a-z]/g, '').length;
        expect(letters(text)).toBe(rows.reduce((sum, { id, text: words }) => sum + letters(id + words), 0));
      }),
    );
  });

  test('shows no part of a secret, not even of one that would be broken', () => {
    const secret = '8c1f0d2e7b6a59488c1f0d2e7b6a5948';
    const rows = [{ id: 'a', text: `before ${secret} after`, amount: '1' }];
    expect(table(COLUMNS, rows, aPage(30, secret))).not.toMatch(/8c1f|5948/);
  });

  test('shows no control character', () => {
    expect(table(COLUMNS, [{ id: '\u001b[2J', text: '', amount: '' }], aPage(80))).toContain(
      String.raw`\u{1b}[2J`,
    );
  });
});
