import { expect, test } from 'vitest';
import { jobEnergyOf, unmeasured } from '../../../src/domain/job-energy.ts';
import { pricedEnergy } from '../../../src/pricing/job-power.ts';
import { flatTariff, PublishedPrices, type Tariff } from '../../../src/pricing/tariff.ts';

const HOUR = 3_600_000;
const END = Date.UTC(2026, 10, 27, 12);
/** 350 W for an hour, of which 50 W idle. */
const HOUR_OF_WORK = jobEnergyOf(
  { joules: 350 * 3_600, idleJoules: 50 * 3_600, coveredMs: HOUR },
  HOUR,
  true,
);

const paying = (tariff: Tariff | undefined, wall = { perGpuWatt: 1, hostW: 0 }) => ({
  tariff: () => tariff,
  wall,
});

test('costs what it takes above idle, at the wall', () => {
  // 0.3 kWh above idle.
  expect(pricedEnergy(HOUR_OF_WORK, paying(flatTariff(0.4)), END)).toEqual({
    ...HOUR_OF_WORK,
    powerMicroDollars: 120_000,
    isCostEstimate: false,
  });
  const wall = { perGpuWatt: 1.2, hostW: 40 };
  expect(pricedEnergy(HOUR_OF_WORK, paying(flatTariff(0.4), wall), END).powerMicroDollars).toBe(160_000);
});

test('is priced by the time that the job ran', () => {
  const prices = new PublishedPrices([
    { from: END - HOUR, until: END - HOUR / 2, dollarsPerKWh: 0.2 },
    { from: END - HOUR / 2, until: END, dollarsPerKWh: 0.6 },
  ]);
  expect(pricedEnergy(HOUR_OF_WORK, paying(prices), END)).toMatchObject({
    powerMicroDollars: 120_000,
    isCostEstimate: false,
  });
});

test('takes the mean of the prices that are known, and says that it is an estimate', () => {
  const prices = new PublishedPrices([{ from: END - HOUR, until: END - HOUR / 2, dollarsPerKWh: 0.2 }]);
  expect(pricedEnergy(HOUR_OF_WORK, paying(prices), END)).toMatchObject({
    powerMicroDollars: 60_000,
    isCostEstimate: true,
  });
});

test.each([
  ['without a tariff', HOUR_OF_WORK, undefined],
  ['at a time without any price', HOUR_OF_WORK, new PublishedPrices([])],
  ['of which nothing was measured', unmeasured(HOUR), flatTariff(0.4)],
])('a job %s has no cost rather than none of it', (_, energy, tariff) => {
  expect(pricedEnergy(energy, paying(tariff), END).powerMicroDollars).toBeUndefined();
});

test('a negative price makes it negative', () => {
  expect(pricedEnergy(HOUR_OF_WORK, paying(flatTariff(-0.1)), END).powerMicroDollars).toBe(-30_000);
});
