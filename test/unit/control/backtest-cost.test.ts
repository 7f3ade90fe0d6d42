import { expect, test } from 'vitest';
import { costPerMinuteOf } from '../../../src/control/backtest-cost.ts';
import type { JournaledJob } from '../../../src/journal/own-jobs.ts';
import { NO_PRICE } from '../../../src/pricing/electricity.ts';
import { flatTariff, type Tariff } from '../../../src/pricing/tariff.ts';

const HOUR = 3_600_000;
const JOB: JournaledJob = {
  job: 'j',
  run: 'r',
  function: 'f',
  image: 'i',
  offer: 'gpu:a',
  ask: 0.05,
  from: 0,
  until: HOUR,
  hasEnded: true,
  paidMs: HOUR,
  microDollars: 0,
  energy: { joules: 300 * 3_600, ms: HOUR },
};
const wall = { perGpuWatt: 1.1, hostW: 20 };

test('a minute costs what own jobs took above idle, at the wall, by the tariff of its hour, and wear', () => {
  const nights: Tariff = {
    stretches: (from, until) => [{ from, until, dollarsPerKWh: from < HOUR ? 0.1 : 0.4 }],
  };
  const electricity = { ...NO_PRICE, wall, wearPerHour: 0.06, tariff: () => nights };
  const cost = costPerMinuteOf([JOB, { ...JOB, energy: undefined }], electricity, 9);
  expect(cost(0)).toBeCloseTo((0.35 * 0.1) / 60 + 0.001, 9);
  expect(cost(HOUR)).toBeCloseTo((0.35 * 0.4) / 60 + 0.001, 9);
});

test.each([
  ['no energy was measured', [{ ...JOB, energy: undefined }], { ...NO_PRICE, tariff: () => flatTariff(0.3) }],
  ['no price is known', [JOB], NO_PRICE],
  ['nothing is known of electricity', [JOB], undefined],
])('a minute costs what the floor says where %s', (_what, jobs, electricity) => {
  expect(costPerMinuteOf(jobs, electricity, 0.007)(0)).toBe(0.007);
  expect(costPerMinuteOf(jobs, electricity, undefined)(0)).toBeUndefined();
});
