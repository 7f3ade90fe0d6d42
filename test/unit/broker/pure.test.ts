import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBrokerTime } from '../../../src/broker/broker-time.ts';
import { retryAfterMs } from '../../../src/broker/retry-after.ts';
import { shown } from '../../../src/broker/shown.ts';
import { readRuns } from '../../../src/broker/wire-run.ts';

const two = (value: number): string => String(value).padStart(2, '0');

describe('parseBrokerTime', () => {
  test('reads every second from 1970 to 9999 as UTC', () => {
    const second = fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) / 1000 });
    fc.assert(
      fc.property(second, (at) => {
        const date = new Date(at * 1000);
        const day = `${two(date.getUTCDate())}-${two(date.getUTCMonth() + 1)}-${date.getUTCFullYear()}`;
        const time = `${two(date.getUTCHours())}:${two(date.getUTCMinutes())}:${two(date.getUTCSeconds())}`;
        expect(parseBrokerTime(`${day} ${time}`)).toBe(at * 1000);
      }),
    );
  });

  test.each([
    '',
    '2026-03-05 10:20:30',
    '05-03-2026T10:20:30',
    '05-03-2026 10:20',
    '30-02-2026 10:20:30',
    '00-03-2026 10:20:30',
    '05-13-2026 10:20:30',
    '05-00-2026 10:20:30',
    '05-03-2026 24:20:30',
    '05-03-2026 10:60:30',
    '05-03-2026 10:20:60',
    ' 05-03-2026 10:20:30',
  ])('%j is none', (text) => {
    expect(parseBrokerTime(text)).toBeUndefined();
  });

  test('years before 100 are not taken for the 1900s', () => {
    expect(new Date(parseBrokerTime('05-03-0026 10:20:30') ?? 0).getUTCFullYear()).toBe(26);
  });
});

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
  ])('%j is %j', (value, waitMs) => {
    expect(retryAfterMs(value, undefined, now)).toBe(waitMs);
  });

  test.each([-3_600_000, -300_000, 0, 300_000, 3_600_000])(
    'a date counts from the date of the answer, where this clock is off by %i ms',
    (skewMs) => {
      const date = 'Thu, 05 Mar 2026 10:20:30 GMT';
      expect(retryAfterMs('Thu, 05 Mar 2026 10:20:40 GMT', date, now + skewMs)).toBe(10_000);
      expect(retryAfterMs('Thu, 05 Mar 2026 10:20:20 GMT', date, now + skewMs)).toBe(0);
      expect(retryAfterMs('Thu, 05 Mar 2026 22:20:40 GMT', date, now + skewMs)).toBe(900_000);
      expect(retryAfterMs('7', date, now + skewMs)).toBe(7_000);
    },
  );

  test.each([undefined, '', 'today'])(
    'an answer of %j is not trusted with more than five minutes',
    (date) => {
      expect(retryAfterMs('Thu, 05 Mar 2026 10:24:30 GMT', date, now)).toBe(240_000);
      expect(retryAfterMs('Thu, 05 Mar 2026 10:30:30 GMT', date, now)).toBe(300_000);
      expect(retryAfterMs('600', date, now)).toBe(600_000);
    },
  );
});

describe('shown', () => {
  const token = 'abcdef0123456789';

  test('never holds the token, wherever it stands and however often', () => {
    const piece = fc.oneof(fc.constant(token), fc.string({ unit: 'binary' }), fc.constant(' '.repeat(600)));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = shown(pieces.join(''), token);
        expect(text).not.toContain(token);
        expect(text.length).toBeLessThanOrEqual(501);
        expect(text).not.toMatch(/[\p{Cc}\p{Cf}\p{Cs}]/u);
      }),
    );
  });

  test('no more of a token that is cut in two than could be anything', () => {
    for (let at = 3_970; at < 4_010; at += 1) {
      expect(shown(`${' '.repeat(at)}${token} and more`, token)).not.toContain('abcdef');
    }
  });
});

describe('readRuns', () => {
  test('takes any JSON without throwing, and each item ends in exactly one of the lists', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (items) => {
        const { invalid, runs } = readRuns(items);
        expect(invalid.length + runs.length).toBe(items.length);
      }),
    );
  });
});
