import { describe, expect, test } from 'vitest';
import { DAY_MS, Zone } from '../../../src/domain/schedule/zone.ts';
import { endOf, PricedAhead, withFallback } from '../../../src/pricing/priced-ahead.ts';
import { flatTariff, meanPrice, type PricePoint, type Tariff } from '../../../src/pricing/tariff.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const UTC = new Zone('UTC');
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
  expect(at(new PricedAhead(hourly(2), UTC), START + 5 * HOUR)).toBe(0.05);
});

test('for a day after the end, each hour has the price of the day before', () => {
  const tariff = new PricedAhead(hourly(2), UTC);
  expect(at(tariff, START + 2 * DAY + 7 * HOUR)).toBe(0.07);
  expect(at(tariff, START + 3 * DAY - HOUR)).toBe(0.23);
});

test('later the highest holds', () => {
  expect(at(new PricedAhead(hourly(2), UTC), START + 3 * DAY)).toBe(0.23);
});

test('a gap has the price of the day before', () => {
  const points = hourly(2).filter((_, hour) => hour !== 30);
  expect(at(new PricedAhead(points, UTC), START + 30 * HOUR)).toBe(0.06);
});

test('without any price nothing is known', () => {
  expect(at(new PricedAhead([], UTC), START)).toBeUndefined();
  expect(endOf([])).toBe(Number.NEGATIVE_INFINITY);
});

test('the stretches leave no gap and do not overlap', () => {
  const points = hourly(3).filter((_, hour) => hour % 5 !== 0);
  const stretches = [...new PricedAhead(points, UTC).stretches(START - DAY, START + 6 * DAY)];
  expect(stretches[0]?.from).toBe(START - DAY);
  expect(stretches.at(-1)?.until).toBe(START + 6 * DAY);
  for (const [index, stretch] of stretches.entries())
    if (index > 0) expect(stretch.from).toBe(stretches[index - 1]?.until);
});

test('a fallback fills what is not known', () => {
  const later = new PricedAhead([], UTC);
  expect(at(withFallback(later, flatTariff(0.3)), START)).toBe(0.3);
});

describe('where the clock changes', () => {
  const QUARTER = HOUR / 4;

  /** Of a zone, in 2026 and 2027. */
  function changesOf(zone: Zone): readonly number[] {
    const found: number[] = [];
    let at = Date.UTC(2026, 0, 1);
    while (at < Date.UTC(2028, 0, 1)) {
      const { offset, until } = zone.stretchAt(at);
      if (zone.stretchAt(until).offset !== offset) found.push(until);
      at = until;
    }
    return found;
  }

  /** Each way in which clocks change, with a zone that changes so. */
  const ways = new Map(
    Intl.supportedValuesOf('timeZone')
      .map((name) => new Zone(name))
      .flatMap((zone) =>
        changesOf(zone).map((change) => {
          const offsets = [change - 1, change].map((at) => zone.stretchAt(at).offset);
          return [`${change} ${offsets.join(' ')}`, { zone, change }] as const;
        }),
      ),
  );

  test('are dozens of ways', () => {
    expect(ways.size).toBeGreaterThan(40);
  });

  /** Two days of prices up to an instant, by quarters; each is the minute of the day on the wall. */
  function byTheWall(zone: Zone, end: number): readonly PricePoint[] {
    return Array.from({ length: (2 * DAY) / QUARTER }, (_, index) => {
      const from = end - (index + 1) * QUARTER;
      return { from, until: from + QUARTER, dollarsPerKWh: minuteAt(zone, from) };
    }).toReversed();
  }

  const minuteAt = (zone: Zone, at: number): number => ((zone.localMs(at) % DAY_MS) + DAY_MS) % DAY_MS;

  test.each([-25, -12, -1, 0, 1, 3, 12, 24].map((hours) => ({ hours })))(
    'each time has the price that the wall showed the day before, published until $hours h after the change',
    ({ hours }) => {
      for (const { change, zone } of ways.values()) {
        const end = change + hours * HOUR;
        const points = byTheWall(zone, end);
        const seen = new Set(points.map(({ from }) => zone.localMs(from)));
        const stretches = [...new PricedAhead(points, zone).stretches(end, end + DAY - HOUR)];
        expect(stretches.reduce((ms, { from, until }) => ms + until - from, 0)).toBe(DAY - HOUR);
        // What the wall did not show the day before has another price of that day.
        for (const { dollarsPerKWh, from } of stretches)
          if (seen.has(zone.localMs(from) - DAY))
            expect([zone.name, new Date(from), dollarsPerKWh]).toEqual([
              zone.name,
              new Date(from),
              minuteAt(zone, from),
            ]);
          else expect(dollarsPerKWh).toBeTypeOf('number');
      }
    },
  );
});
