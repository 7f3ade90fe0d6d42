import { describe, expect, test } from 'vitest';
import { OncePerChange } from '../../../src/lib/once-per-change.ts';

describe('once per change', () => {
  test('a value is new until it is repeated', () => {
    const log = new OncePerChange();
    expect(['a', 'a', 'b', 'a'].map((value) => log.isNew(value))).toEqual([true, false, true, true]);
  });

  test('each key has its own last value', () => {
    const log = new OncePerChange();
    expect([log.isNew('a', 'x'), log.isNew('a', 'y'), log.isNew('a', 'x')]).toEqual([true, true, false]);
  });

  test('a value is new again once its key was forgotten', () => {
    const log = new OncePerChange();
    log.isNew('a', 'x');
    log.isNew('a', 'y');
    expect([log.forget('x'), log.forget('x')]).toEqual([true, false]);
    expect(log.isNew('a', 'x')).toBe(true);
    expect(log.retain((key) => key === 'x')).toEqual(['y']);
    expect([log.isNew('a', 'x'), log.isNew('a', 'y')]).toEqual([false, true]);
  });

  test('a value is new again after a while where that is wanted', () => {
    let now = 0;
    const log = new OncePerChange({ repeatMs: 1_000, now: () => now });
    expect([log.isNew('a'), log.isNew('a')]).toEqual([true, false]);
    now = 999;
    expect(log.isNew('a')).toBe(false);
    now = 1_000;
    expect([log.isNew('a'), log.isNew('a')]).toEqual([true, false]);
  });

  test('the number of keys is bounded', () => {
    const log = new OncePerChange();
    for (let key = 0; key < 10_000; key += 1) log.isNew('a', String(key));
    expect(log.isNew('a', '9999')).toBe(false);
    log.isNew('a', 'one more');
    expect(log.isNew('a', '9999')).toBe(true);
  });
});
