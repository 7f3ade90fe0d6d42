import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseBrokerTime } from '../../../src/broker/broker-time.ts';

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
  ])('rejects %j', (text) => {
    expect(parseBrokerTime(text)).toBeUndefined();
  });

  test('reads a year below 100 as that year', () => {
    expect(new Date(parseBrokerTime('05-03-0026 10:20:30') ?? 0).getUTCFullYear()).toBe(26);
  });
});
