import { describe, expect, test } from 'vitest';
import { asksOf, type Market, marketOf } from '../../../../bench/simulator/market.ts';
import { drawnShape, SHAPES } from '../../../../bench/simulator/shapes.ts';
import { type OwnHost, simulate } from '../../../../bench/simulator/simulate.ts';
import { fixedAsk } from '../../../../src/pricing/fixed-ask.ts';

const HOST: OwnHost = { slots: 2, marginalW: 250, brokerFee: 0 };
const HOUR_MS = 3_600_000;

const aMarket = (runs: Market['runs'], rivals: Market['rivals'] = []): Market => ({
  shape: { ...drawnShape(1), dollarsPerKWh: (hour) => (hour === 0 ? 0.3 : 0.6) },
  runs,
  rivals,
  endsAt: 24 * HOUR_MS,
});
const aRun = (more: Partial<Market['runs'][number]> = {}): Market['runs'][number] => ({
  uuid: 'run',
  at: 0,
  until: 24 * HOUR_MS,
  bid: 0.1,
  function: 'function',
  jobs: [{ minutes: 120, outcome: 'succeeded' }],
  ...more,
});
const at = (ask: number) => ({ ask: () => ask });

describe('our host on a simulated market', () => {
  test('is paid its ask, not the bid, and pays each hour’s electricity', () => {
    const { jobs, net } = simulate(aMarket([aRun()]), HOST, at(0.05), 1);
    expect(jobs).toHaveLength(1);
    expect(jobs[0]?.earned).toBeCloseTo(0.05 * 120, 10);
    expect(jobs[0]?.powerCost).toBeCloseTo(0.25 * 0.3 + 0.25 * 0.6, 10);
    expect(net).toBeCloseTo(6 - 0.225, 10);
  });

  test.each([
    ['failed', 0],
    ['timeout', 6],
  ] as const)('is paid for a job that %s: %d', (outcome, earned) => {
    const run = aRun({ jobs: [{ minutes: 120, outcome }] });
    expect(simulate(aMarket([run]), HOST, at(0.05), 1).earned).toBeCloseTo(earned, 10);
  });

  test('takes nothing below its ask, and nothing that its buyer has withdrawn', () => {
    const runs = [aRun({ bid: 0.04 }), aRun({ uuid: 'gone', until: 0 })];
    expect(simulate(aMarket(runs), HOST, at(0.05), 1).jobs).toEqual([]);
  });

  test('runs as many jobs at once as it has slots, and none twice', () => {
    const [shape = drawnShape(2)] = SHAPES.filter(({ name }) => name === 'busy');
    const market = marketOf(shape, 1009, 4);
    const { jobs } = simulate(market, HOST, at(fixedAsk(asksOf(market), 0.002)), 1);
    expect(jobs.length).toBeGreaterThan(100);
    for (const { from } of jobs)
      expect(jobs.filter((job) => job.from <= from && from < job.until).length).toBeLessThanOrEqual(2);
    for (const [run, taken] of Map.groupBy(jobs, (job) => job.run))
      expect(taken.length).toBeLessThanOrEqual(run.jobs.length);
  });

  test('shares the market with cheaper hosts by chance alone', () => {
    const runs = Array.from({ length: 200 }, (_, index) =>
      aRun({
        uuid: `run-${index}`,
        at: index * 400_000,
        until: index * 400_000 + 1,
        jobs: [{ minutes: 1, outcome: 'succeeded' }],
      }),
    );
    const rival = { ask: 0.01, slots: 1, isOnline: () => true };
    const { jobs } = simulate(aMarket(runs, [rival]), { ...HOST, slots: 1 }, at(0.05), 1);
    expect(jobs.length).toBeGreaterThan(70);
    expect(jobs.length).toBeLessThan(130);
  });

  test.each(SHAPES)('is repeated by its seed: $name', (shape) => {
    const earned = () => simulate(marketOf(shape, 1013, 2), HOST, at(0.03), 7).earned;
    expect(earned()).toBe(earned());
  });

  test('is asked for its price at each whole hour, with what it may know', () => {
    const asked: number[] = [];
    const pricing = {
      ask: ({
        idleMs,
        now,
        others,
      }: {
        idleMs: readonly number[];
        now: number;
        others: readonly number[];
      }) => {
        asked.push(now);
        expect(idleMs).toHaveLength(2);
        expect(others).toEqual([]);
        return 0.05;
      },
    };
    simulate(aMarket([aRun()]), HOST, pricing, 1);
    expect(asked).toEqual(Array.from({ length: 24 }, (_, hour) => hour * HOUR_MS));
  });
});
