import { describe, expect, test } from 'vitest';
import { asksOf, marketOf } from '../../../../bench/simulator/market.ts';
import { drawnShape, SEEDS, SHAPES } from '../../../../bench/simulator/shapes.ts';

const HOUR_MS = 3_600_000;

describe('a simulated market', () => {
  test.each(SHAPES)('is repeated by its seed: $name', (shape) => {
    const of = (seed: number) => {
      const { runs, rivals } = marketOf(shape, seed, 3);
      return { runs, rivals: rivals.map((rival) => [rival.ask, rival.isOnline(HOUR_MS)]) };
    };
    expect(of(1009)).toEqual(of(1009));
    expect(of(1009)).not.toEqual(of(1013));
  });

  test.each(SHAPES)('has as many runs as its shape says: $name', (shape) => {
    const runs = SEEDS.map((seed) => marketOf(shape, seed, 7).runs.length).reduce((sum, many) => sum + many);
    const { bursts, runsAfterMonth, runsPerHour, weekend } = shape.demand;
    const burst = bursts === undefined ? 1 : 1 + (bursts.times - 1) * (bursts.hours / bursts.everyHours);
    const expected =
      SEEDS.length * 168 * runsPerHour * ((5 + 2 * weekend) / 7) * runsAfterMonth ** (3.5 / 30) * burst;
    expect(runs / expected).toBeGreaterThan(0.85);
    expect(runs / expected).toBeLessThan(1.15);
  });

  test('falls where its shape falls', () => {
    const [falling] = SHAPES.filter(({ name }) => name === 'falling');
    const { runs } = marketOf(falling ?? drawnShape(1), 1009, 30);
    const mean = (some: typeof runs) => some.reduce((sum, { bid }) => sum + bid, 0) / some.length;
    expect(mean(runs.slice(-500))).toBeLessThan(0.6 * mean(runs.slice(0, 500)));
  });

  test('is drawn by a seed within sensible bounds', () => {
    for (const seed of SEEDS) {
      const { demand, rivals } = drawnShape(seed);
      expect(demand.runsPerHour).toBeGreaterThan(0.3);
      expect(rivals.hosts).toBeGreaterThan(0);
    }
    expect(drawnShape(1)).not.toEqual(drawnShape(2));
  });
});

test('asks are those of the rivals', () => {
  const [shape = drawnShape(1)] = SHAPES;
  expect(asksOf(marketOf(shape, 1009, 1))).toHaveLength(shape.rivals.hosts);
});
