import { expect, test } from 'vitest';
import { endOf, PricedAhead, withFallback } from '../../../src/pricing/priced-ahead.ts';
import { flatTariff, meanPrice, type PricePoint, type Tariff } from '../../../src/pricing/tariff.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.UTC(2026, 10, 20);

/** A price each hour: the hour of the day in cents. */
const hourly = (days: number): readonly PricePoint[] =>
  Array.from({ length: days * 24 }, (_, hour) => ({
    from: START + hour * HOUR,
    until: START + (hour + 1) * HOUR,
    dollarsPerKWh: (hour % 24) / 100,
  }));

const at = (tariff: Tariff, time: number): number | undefined =>
  meanPrice(tariff, time, time + HOUR)?.dollarsPerKWh;

test('published prices hold where they are known', () => {
  expect(at(new PricedAhead(hourly(2)), START + 5 * HOUR)).toBe(0.05);
});

test('for a day after the end, each hour has the price of the day before', () => {
  const tariff = new PricedAhead(hourly(2));
  expect(at(tariff, START + 2 * DAY + 7 * HOUR)).toBe(0.07);
  expect(at(tariff, START + 3 * DAY - HOUR)).toBe(0.23);
});

test('later the highest holds', () => {
  expect(at(new PricedAhead(hourly(2)), START + 3 * DAY)).toBe(0.23);
});

test('a gap has the price of the day before', () => {
  const points = hourly(2).filter((_, hour) => hour !== 30);
  expect(at(new PricedAhead(points), START + 30 * HOUR)).toBe(0.06);
});

test('without any price nothing is known', () => {
  expect(at(new PricedAhead([]), START)).toBeUndefined();
  expect(endOf([])).toBe(Number.NEGATIVE_INFINITY);
});

test('the stretches leave no gap and do not overlap', () => {
  const points = hourly(3).filter((_, hour) => hour % 5 !== 0);
  const stretches = [...new PricedAhead(points).stretches(START - DAY, START + 6 * DAY)];
  expect(stretches[0]?.from).toBe(START - DAY);
  expect(stretches.at(-1)?.until).toBe(START + 6 * DAY);
  for (const [index, stretch] of stretches.entries())
    if (index > 0) expect(stretch.from).toBe(stretches[index - 1]?.until);
});

test('a fallback fills what is not known', () => {
  const later = new PricedAhead([]);
  expect(at(withFallback(later, flatTariff(0.3)), START)).toBe(0.3);
});
