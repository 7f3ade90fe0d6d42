import { expect, test } from 'vitest';
import { patched } from '../../../../src/embedded/broker/store/patch.ts';

test('changes only the fields with a new value', () => {
  const row: { a: number; b: string | null } = { a: 1, b: 'x' };
  expect(patched(row, { a: undefined, b: null })).toEqual({ a: 1, b: null });
  expect(row).toEqual({ a: 1, b: 'x' });
});
