import fc from 'fast-check';
import { afterEach, expect, test, vi } from 'vitest';
import { daysBefore, localDayOf, startOfDay } from '../../../src/domain/local-day.ts';

afterEach(() => vi.unstubAllEnvs());

const HOUR_MS = 3_600_000;
/** Havana, Beirut and Asunción skip or have skipped midnight itself; Lord Howe changes by half an hour, Kathmandu by none. */
const ZONES = [
  'UTC',
  'Europe/Berlin',
  'America/Havana',
  'Asia/Beirut',
  'America/Asuncion',
  'Australia/Lord_Howe',
  'Asia/Kathmandu',
  'Pacific/Apia',
];

test.each(ZONES)('in %s every instant is in its own day, which has 23 to 25 hours', (zone) => {
  vi.stubEnv('TZ', zone);
  fc.assert(
    fc.property(fc.integer({ min: Date.UTC(2015, 0, 1), max: Date.UTC(2035, 0, 1) }), (at) => {
      const start = startOfDay(localDayOf(at));
      const next = startOfDay(localDayOf(start + 36 * HOUR_MS));
      expect(start).toBeLessThanOrEqual(at);
      expect(next).toBeGreaterThan(at);
      expect(localDayOf(start)).toBe(localDayOf(at));
      expect(localDayOf(start - 1)).toBe(daysBefore(at, 1));
      expect((next - start) / HOUR_MS).toBeGreaterThanOrEqual(23);
      expect((next - start) / HOUR_MS).toBeLessThanOrEqual(25);
    }),
    { numRuns: 300 },
  );
});

test.each([
  ['2026-03-29', 23],
  ['2026-10-25', 25],
  ['2026-11-27', 24],
])('%s has %i hours in Berlin', (day, hours) => {
  vi.stubEnv('TZ', 'Europe/Berlin');
  const [start, next] = [startOfDay(day), startOfDay(daysBefore(startOfDay(day), -1))];
  expect((next - start) / HOUR_MS).toBe(hours);
});

test('so many days before counts days, not hours', () => {
  vi.stubEnv('TZ', 'Europe/Berlin');
  const late = new Date(2026, 10, 1, 0, 30).getTime();
  expect([0, 7, 365].map((days) => daysBefore(late, days))).toEqual([
    '2026-11-01',
    '2026-10-25',
    '2025-11-01',
  ]);
});
