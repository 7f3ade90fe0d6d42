import { describe, expect, test } from 'vitest';
import { retryAfterMs } from '../../../src/broker/retry-after.ts';

describe('retryAfterMs', () => {
  const now = Date.UTC(2026, 2, 5, 10, 20, 30);
  test.each([
    ['5', 5_000],
    [' 1.5 ', 1_500],
    ['86400', 900_000],
    ['9'.repeat(400), 900_000],
    ['Thu, 05 Mar 2026 10:20:40 GMT', 10_000],
    ['Thursday, 05-Mar-26 10:20:40 GMT', 10_000],
    ['Thu, 05 Mar 2026 10:20:20 GMT', 0],
    ['', undefined],
    ['soon', undefined],
    ['-5', undefined],
    ['2026', 900_000],
    [undefined, undefined],
  ])('reads %j as %j', (value, waitMs) => {
    expect(retryAfterMs(value, undefined, now)).toBe(waitMs);
  });

  test.each([-3_600_000, -300_000, 0, 300_000, 3_600_000])(
    'compares a date with the answer’s date when the local clock is off by %i ms',
    (skewMs) => {
      const date = 'Thu, 05 Mar 2026 10:20:30 GMT';
      expect(retryAfterMs('Thu, 05 Mar 2026 10:20:40 GMT', date, now + skewMs)).toBe(10_000);
      expect(retryAfterMs('Thu, 05 Mar 2026 10:20:20 GMT', date, now + skewMs)).toBe(0);
      expect(retryAfterMs('Thu, 05 Mar 2026 22:20:40 GMT', date, now + skewMs)).toBe(900_000);
      expect(retryAfterMs('7', date, now + skewMs)).toBe(7_000);
    },
  );

  test.each([undefined, '', 'today'])(
    'waits at most five minutes for a date when the answer’s date is %j',
    (date) => {
      expect(retryAfterMs('Thu, 05 Mar 2026 10:24:30 GMT', date, now)).toBe(240_000);
      expect(retryAfterMs('Thu, 05 Mar 2026 10:30:30 GMT', date, now)).toBe(300_000);
      expect(retryAfterMs('600', date, now)).toBe(600_000);
    },
  );
});
