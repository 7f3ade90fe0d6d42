import { describe, expect, test } from 'vitest';
import { bootstrap } from '../../../../bench/simulator/bootstrap.ts';
import { contest, HOST, ofShape, outcomeOf } from '../../../../bench/simulator/contest.ts';
import { type Market, marketOf } from '../../../../bench/simulator/market.ts';
import { drawnShape, SEEDS } from '../../../../bench/simulator/shapes.ts';
import type { StrategyName } from '../../../../src/pricing/strategy/strategies.ts';

const HOUR_MS = 3_600_000;

/** Drawn markets on which the strategies were tuned; the five shapes are for the comparison alone. */
const DRAWN = { busy: drawnShape(5017), falling: drawnShape(5022), thin: drawnShape(5078) };

describe('the contest of strategies', () => {
  const standings = [
    ...contest({
      markets: Object.values(DRAWN).map((shape) => ofShape(shape, 12)),
      strategies: ['fixed', 'floor', 'decay', 'advice', 'apply-advice'],
      seeds: SEEDS.slice(0, 2),
      host: HOST,
    }),
  ];
  const of = (shape: keyof typeof DRAWN, strategy: StrategyName) =>
    standings.find((one) => one.shape === DRAWN[shape].name && one.strategy === strategy);

  test.each(['decay', 'apply-advice'] as const)(
    '%s earns more than the fixed ask where that is far off',
    (name) => {
      expect(of('busy', name)?.toFixed.ratio).toBeGreaterThan(1.3);
      expect(of('falling', name)?.toFixed.ratio).toBeGreaterThan(1.3);
    },
  );

  test.each(['decay', 'apply-advice'] as const)(
    '%s stays near the fixed ask where little is known',
    (name) => {
      expect(of('thin', name)?.toFixed.ratio).toBeGreaterThan(0.95);
    },
  );

  test('advice that is not applied changes nothing', () => {
    for (const shape of ['busy', 'falling', 'thin'] as const)
      expect(of(shape, 'advice')).toMatchObject({ changes: 0, net: of(shape, 'fixed')?.net });
  });

  test('the best fixed ask in hindsight is no worse than the fixed ask', () => {
    const fixed = standings.filter(({ strategy }) => strategy === 'fixed');
    expect(Math.max(...fixed.map(({ toBest }) => toBest.ratio))).toBeLessThanOrEqual(1);
  });

  test('no strategy but the floor itself sells below the true power cost', () => {
    expect(standings.filter(({ belowCost, strategy }) => belowCost > 0 && strategy !== 'floor')).toEqual([]);
  });
});

/** Buyers who bid less than the electricity costs, and now and then one who bids as much. */
const poor = (perKWh: number): Market => ({
  shape: { ...DRAWN.busy, dollarsPerKWh: () => perKWh },
  runs: Array.from({ length: 240 }, (_, hour) => ({
    uuid: `run-${hour}`,
    at: hour * HOUR_MS + 60_000,
    until: (hour + 2) * HOUR_MS,
    bid: hour % 10 === 0 ? 0.02 : 0.003,
    function: 'function',
    jobs: Array.from({ length: 3 }, () => ({ minutes: 20, outcome: 'succeeded' as const })),
  })),
  rivals: [],
  endsAt: 240 * HOUR_MS,
});

test.each(['fixed', 'floor', 'decay', 'advice', 'apply-advice'] as const)(
  '%s sells no minute for less than it costs, however low the bids',
  (strategy) => {
    // 250 W at a dollar per kWh are 0.00417 dollars a minute.
    const { jobs } = outcomeOf(poor(1), HOST, strategy, 1);
    expect(jobs.length).toBeGreaterThan(10);
    for (const { ask, run } of jobs) {
      expect(ask).toBeGreaterThanOrEqual((0.25 * 1) / 60);
      expect(run.bid).toBe(0.02);
    }
  },
);

describe('the interval of a ratio', () => {
  test('is the ratio itself where all markets agree', () => {
    const { high, low, ratio } = bootstrap([2, 4, 6], [1, 2, 3]);
    expect([low, ratio, high]).toEqual([2, 2, 2]);
  });

  test('holds the ratio, and is repeated', () => {
    const [ours, theirs] = [
      [1, 5, 2, 8, 3],
      [2, 3, 2, 4, 4],
    ];
    const interval = bootstrap(ours, theirs);
    expect(interval.low).toBeLessThan(interval.ratio);
    expect(interval.high).toBeGreaterThan(interval.ratio);
    expect(bootstrap(ours, theirs)).toEqual(interval);
  });
});

test('the comparison is repeated by its seed', () => {
  const net = () => outcomeOf(marketOf(DRAWN.thin, 7, 5), HOST, 'decay', 7).net;
  expect(net()).toBe(net());
});
