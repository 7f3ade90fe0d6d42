import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Zone } from '../../../src/domain/schedule/zone.ts';
import {
  flatTariff,
  meanPrice,
  type PriceRule,
  PublishedPrices,
  type Tariff,
  TimeOfUse,
} from '../../../src/pricing/tariff.ts';
import { rule, type WrittenRule } from '../../support/schedule/rules.ts';

const at = (text: string): number => Date.parse(text);
const HOUR = 3_600_000;

const priced = (dollarsPerKWh: number, window: Omit<WrittenRule, 'available'>): PriceRule => ({
  window: rule({ ...window, available: true }).window,
  dollarsPerKWh,
});

const night = priced(0.1, { hours: '22:00-06:00' });
const berlin = (...rules: readonly PriceRule[]): Tariff =>
  new TimeOfUse(rules, new Zone('Europe/Berlin'), 0.4);

const listed = (tariff: Tariff, from: string, until: string) =>
  [...tariff.stretches(at(from), at(until))].map(({ from, until, dollarsPerKWh }) => [
    new Date(from).toISOString().slice(5, 16),
    (until - from) / HOUR,
    dollarsPerKWh,
  ]);

describe('a flat tariff', () => {
  test('has one price', () => {
    expect(meanPrice(flatTariff(0.3), 0, HOUR)).toEqual({ dollarsPerKWh: 0.3, known: 1 });
  });
});

describe('a tariff by the time of use', () => {
  test('changes with its windows, the later one first', () => {
    const free = priced(0, { days: 'sun' });
    expect(listed(berlin(night, free), '2026-06-05T10:00Z', '2026-06-08T10:00Z')).toEqual([
      ['06-05T10:00', 10, 0.4],
      ['06-05T20:00', 8, 0.1],
      ['06-06T04:00', 16, 0.4],
      ['06-06T20:00', 2, 0.1],
      ['06-06T22:00', 24, 0],
      ['06-07T22:00', 6, 0.1],
      ['06-08T04:00', 6, 0.4],
    ]);
  });

  test.each([
    ['2026-03-28T20:00Z', '2026-03-29T10:00Z', 7],
    ['2026-10-24T20:00Z', '2026-10-25T10:00Z', 9],
  ])('follows the clock on the wall in the night of %s', (from, until, hours) => {
    const cheap = listed(berlin(night), from, until).filter(([, , price]) => price === 0.1);
    expect(cheap.reduce((sum, [, length]) => sum + Number(length), 0)).toBe(hours);
  });

  test('has no price where none is given', () => {
    const only = new TimeOfUse([night], new Zone('UTC'), undefined);
    const from = at('2026-06-05T00:00Z');
    expect(meanPrice(only, from, from + 24 * HOUR)).toEqual({ dollarsPerKWh: 0.1, known: 8 / 24 });
    expect(meanPrice(only, from + 7 * HOUR, from + 8 * HOUR)).toBeUndefined();
  });
});

describe('published prices', () => {
  const prices = new PublishedPrices([
    { from: 0, until: HOUR, dollarsPerKWh: 0.2 },
    { from: HOUR, until: 2 * HOUR, dollarsPerKWh: -0.05 },
    { from: 1.5 * HOUR, until: 1.75 * HOUR, dollarsPerKWh: 1 },
  ]);

  test('may be negative, corrected and unknown', () => {
    expect([...prices.stretches(0, 3 * HOUR)].map(({ dollarsPerKWh }) => dollarsPerKWh)).toEqual([
      0.2,
      -0.05,
      1,
      -0.05,
      undefined,
    ]);
  });

  test('have the price of an instant', () => {
    expect(meanPrice(prices, HOUR, HOUR)?.dollarsPerKWh).toBe(-0.05);
  });
});

test('stretches fill the time that is asked for, whatever the tariff', () => {
  const instant = fc.integer({ min: at('2026-01-01'), max: at('2027-01-01') });
  const tariffs = fc.constantFrom<Tariff>(
    flatTariff(0.3),
    berlin(night),
    berlin(night, priced(0.5, { months: 'oct-mar', hours: '17:00-20:00' })),
    new PublishedPrices([
      { from: at('2026-02-01'), until: at('2026-02-02'), dollarsPerKWh: 0.3 },
      { from: at('2026-02-01T12:00Z'), until: at('2026-03-02'), dollarsPerKWh: 0.1 },
    ]),
  );
  fc.assert(
    fc.property(instant, fc.integer({ min: 1, max: 40 * 24 }), tariffs, (from, hours, tariff) => {
      const until = from + hours * HOUR;
      const stretches = [...tariff.stretches(from, until)];
      expect(stretches[0]?.from).toBe(from);
      expect([...tariff.stretches(until, from)]).toEqual([]);
      expect(stretches.at(-1)?.until).toBe(until);
      for (const [index, { from: start, until: end }] of stretches.entries()) {
        expect(end).toBeGreaterThan(start);
        if (index > 0) expect(start).toBe(stretches[index - 1]?.until);
      }
    }),
    { numRuns: 60 },
  );
});
