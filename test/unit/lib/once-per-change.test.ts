import { describe, expect, test } from 'vitest';
import { OncePerChange } from '../../../src/lib/once-per-change.ts';

describe('once per change', () => {
  test('a value is new until it is repeated', () => {
    const told = new OncePerChange();
    expect(['a', 'a', 'b', 'a'].map((value) => told.isNew(value))).toEqual([true, false, true, true]);
  });

  test('each key has its own last value', () => {
    const told = new OncePerChange();
    expect([told.isNew('a', 'x'), told.isNew('a', 'y'), told.isNew('a', 'x')]).toEqual([true, true, false]);
  });

  test('a value is new again once its key was forgotten', () => {
    const told = new OncePerChange();
    told.isNew('a', 'x');
    told.isNew('a', 'y');
    expect([told.forget('x'), told.forget('x')]).toEqual([true, false]);
    expect(told.isNew('a', 'x')).toBe(true);
    expect(told.retain((key) => key === 'x')).toEqual(['y']);
    expect([told.isNew('a', 'x'), told.isNew('a', 'y')]).toEqual([false, true]);
  });

  test('a value is new again after a while where that is wanted', () => {
    let now = 0;
    const told = new OncePerChange(1_000, () => now);
    expect([told.isNew('a'), told.isNew('a')]).toEqual([true, false]);
    now = 999;
    expect(told.isNew('a')).toBe(false);
    now = 1_000;
    expect([told.isNew('a'), told.isNew('a')]).toEqual([true, false]);
  });

  test('the number of keys is bounded', () => {
    const told = new OncePerChange();
    for (let key = 0; key < 10_000; key += 1) told.isNew('a', String(key));
    expect(told.isNew('a', '9999')).toBe(false);
    told.isNew('a', 'one more');
    expect(told.isNew('a', '9999')).toBe(true);
  });
});
