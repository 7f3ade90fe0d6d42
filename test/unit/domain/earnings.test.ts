import { describe, expect, test } from 'vitest';
import {
  EARNINGS_BY,
  type EarningsBy,
  type EarningsPart,
  EarningsTable,
} from '../../../src/domain/earnings.ts';
import { SeededRandom } from '../../../src/lib/seeded-random.ts';
import { LIMITS } from '../../../src/limits.ts';

const KEY = { day: '2026-11-27', gpu: 'GPU-1', function: 'f', image: 'i' };

function report(
  by: EarningsBy,
  ...parts: readonly (readonly [Partial<typeof KEY>, Partial<EarningsPart>])[]
) {
  const table = new EarningsTable(by);
  for (const [key, part] of parts) table.add({ ...KEY, ...key }, part);
  return table.end();
}

const measured = { endedJobs: 1, energyJoules: 1_000, powerCostMicroDollars: 200 };
const unmeasured = { endedJobs: 1, unmeasuredJobs: 1, unpricedJobs: 1 };

describe('earnings', () => {
  test('of nothing are 0 and known', () => {
    expect(report('day')).toMatchObject({
      rows: [],
      total: { confirmedMicroDollars: 0, energyJoules: 0, powerCostMicroDollars: 0, netMicroDollars: 0 },
      idle: { ms: 0, energyJoules: null, powerCostMicroDollars: null },
    });
  });

  test.each([
    ['a job that was paid', { jobs: 1, confirmedMicroDollars: 900, ...measured }, 700, 200, 0],
    ['a job that failed', measured, -200, 200, 0],
    ['pending money', { pendingJobs: 1, pendingMicroDollars: 900, ...measured }, -200, 200, 0],
    ['a job without a sensor', { jobs: 1, confirmedMicroDollars: 900, ...unmeasured }, null, null, 1],
    ['a job that was paid on the day after its end', { jobs: 1, confirmedMicroDollars: 900 }, 900, 0, 0],
  ])('net of %s', (_, part, netMicroDollars, powerCostMicroDollars, unpricedJobs) => {
    const sums = { netMicroDollars, powerCostMicroDollars, unpricedJobs };
    expect(report('gpu', [{}, part])).toMatchObject({ rows: [{ key: 'GPU-1', ...sums }], total: sums });
  });

  test('a row without power cost has the most that its net can be, where others have one', () => {
    const paid = { jobs: 1, confirmedMicroDollars: 900 };
    const { rows, total } = report(
      'gpu',
      [{}, { ...paid, ...measured }],
      [{ gpu: 'cpu' }, { ...paid, ...unmeasured }],
    );
    expect(rows).toMatchObject([
      { key: 'GPU-1', netMicroDollars: 700, unpricedJobs: 0 },
      { key: 'cpu', netMicroDollars: 900, powerCostMicroDollars: null, energyJoules: null, unpricedJobs: 1 },
    ]);
    expect(total).toMatchObject({ netMicroDollars: 1_600, powerCostMicroDollars: 200, unpricedJobs: 1 });
  });

  test('the energy and power cost of GPUs without a job are in no total', () => {
    const table = new EarningsTable('day');
    table.add(KEY, measured);
    table.addIdle(60_000, 500, null);
    table.addIdle(60_000, 500, 30);
    const { idle, total } = table.end();
    expect(idle).toEqual({ ms: 120_000, energyJoules: 1_000, powerCostMicroDollars: 30 });
    expect(total).toMatchObject({ energyJoules: 1_000, powerCostMicroDollars: 200 });
  });

  test('come to the same total by whatever they are summed, which is that of the rows', () => {
    const random = new SeededRandom(16);
    const parts = Array.from({ length: 2_000 }, () => {
      const key = {
        day: `2026-11-${random.oneOf([10, 11, 12])}`,
        gpu: random.oneOf(['GPU-1', 'GPU-2', 'cpu']),
        function: random.oneOf(['', 'f', 'g']),
        image: `image-${Math.floor(random.between(0, 1_500))}`,
      };
      const amount = (): number => Math.floor(random.between(0, 1e6));
      const endedJobs = amount();
      return [
        key,
        {
          jobs: endedJobs,
          confirmedMicroDollars: amount(),
          pendingMicroDollars: amount(),
          endedJobs,
          energyJoules: amount(),
          powerCostMicroDollars: amount(),
        },
      ] as const;
    });
    const reports = EARNINGS_BY.map((by) => report(by, ...parts));
    for (const { rows, total } of reports) {
      expect(total).toEqual(reports[0]?.total);
      for (const field of ['confirmedMicroDollars', 'netMicroDollars', 'energyJoules'] as const)
        expect(rows.reduce((sum, row) => sum + (row[field] ?? 0), 0)).toBe(total[field]);
    }
    expect(reports.map(({ rows }) => rows.length)).toEqual([3, 3, 3, LIMITS.journal.earningsRows.max + 1]);
    expect(reports.map(({ rows }) => rows.at(-1)?.key)).toEqual([
      '2026-11-12',
      expect.any(String),
      null,
      null,
    ]);
  });
});
