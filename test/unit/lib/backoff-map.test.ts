import * as fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { BackoffMap } from '../../../src/lib/backoff-map.ts';

let now = 0;
const waitMs = (failures: number): number => failures * 10;
const map = (): BackoffMap<string> => new BackoffMap(() => now);

beforeEach(() => {
  now = 1_000;
});

describe('failures by key', () => {
  test('are counted in a row, and each starts a wait', () => {
    const failed = map();
    expect(failed.fail('a', 'first', waitMs)).toEqual({
      failures: 1,
      failure: 'first',
      waitMs: 10,
      retryAt: 1_010,
    });
    now = 1_010;
    expect(failed.waitingFor('a')).toBeUndefined();
    expect(failed.fail('a', 'second', waitMs)).toMatchObject({ failures: 2, retryAt: 1_030 });
    expect(failed.waitingFor('a')?.failure).toBe('second');
  });

  test('that happen while the key waits count as one', () => {
    const failed = map();
    failed.fail('a', 'first', waitMs);
    now = 1_004;
    expect(failed.fail('a', 'beside it', waitMs)).toMatchObject({ failures: 1, retryAt: 1_014 });
  });

  test('never shorten a wait', () => {
    const failed = map();
    failed.fail('a', 'long', () => 500);
    expect(failed.fail('a', 'short', () => 1)).toMatchObject({ retryAt: 1_500, waitMs: 500 });
  });

  test('start at one again once the key was cleared', () => {
    const failed = map();
    failed.fail('a', 'first', waitMs);
    failed.clear('a');
    expect(failed.get('a')).toBeUndefined();
    expect(failed.fail('a', 'again', waitMs).failures).toBe(1);
  });

  test('are forgotten for keys that are not retained', () => {
    const failed = map();
    failed.fail('a', 'a', waitMs);
    failed.fail('b', 'b', waitMs);
    expect(failed.retain((key) => key === 'b')).toBe(1);
    expect(failed.waiting.map(([key]) => key)).toEqual(['b']);
  });

  test('are next due when the first wait that still runs is over', () => {
    const steps = fc.array(fc.record({ key: fc.constantFrom('a', 'b', 'c'), ms: fc.nat(100) }));
    fc.assert(
      fc.property(steps, fc.nat(100), (failures, later) => {
        now = 0;
        const failed = map();
        for (const { key, ms } of failures) failed.fail(key, key, () => ms);
        now = later;
        const due = ['a', 'b', 'c'].map((key) => failed.waitingFor(key)?.retryAt ?? Infinity);
        expect(failed.nextRetryAt).toBe(Math.min(...due));
        expect(failed.nextRetryAt).toBeGreaterThan(now);
      }),
    );
  });
});
