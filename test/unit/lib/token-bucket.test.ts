import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TokenBucket } from '../../../src/lib/token-bucket.ts';

describe('a token bucket', () => {
  test('starts full, refills with time up to its capacity, and can be overdrawn', () => {
    let now = 0;
    const bucket = new TokenBucket(10, () => now);
    expect(bucket.take(4, 1)).toBe(6);
    now = 2_000;
    expect(bucket.take(0, 1)).toBe(8);
    now = 60_000;
    expect(bucket.take(25, 1)).toBe(-15);
    now = 65_000;
    expect(bucket.take(0, 2)).toBe(-5);
  });

  test('never gives more than its capacity and what came back since', () => {
    const takes = fc.array(fc.record({ tokens: fc.nat(50), afterMs: fc.nat(1_000) }), { maxLength: 50 });
    fc.assert(
      fc.property(takes, (steps) => {
        let now = 0;
        let taken = 0;
        const bucket = new TokenBucket(100, () => now);
        for (const { afterMs, tokens } of steps) {
          now += afterMs;
          taken += tokens;
          const refilled = 100 + (now / 1_000) * 5;
          expect(bucket.take(tokens, 5) < 0 || taken <= refilled + 1e-6).toBe(true);
        }
      }),
    );
  });
});
