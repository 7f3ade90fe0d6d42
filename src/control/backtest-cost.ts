import type { JournaledJob } from '../journal/own-jobs.ts';
import type { CostPerMinute } from '../pricing/backtest/cost-curve.ts';
import type { Electricity } from '../pricing/electricity.ts';
import { energyCost } from '../pricing/power-cost.ts';
import { meanPrice } from '../pricing/tariff.ts';

const HOUR_MS = 3_600_000;

/**
 * What a busy minute costs in power and wear, by what own jobs took above idle and the tariff of each hour; `otherwise` where
 * none was measured, or no price is known. Pure.
 */
export function costPerMinuteOf(
  jobs: readonly JournaledJob[],
  electricity: Electricity | undefined,
  otherwise: number | undefined,
): CostPerMinute {
  const measured = jobs.flatMap(({ energy }) => (energy === undefined ? [] : [energy]));
  const seconds = measured.reduce((sum, { ms }) => sum + ms, 0) / 1_000;
  const tariff = electricity?.tariff();
  if (electricity === undefined || tariff === undefined || seconds === 0) return () => otherwise;
  const gpuW = measured.reduce((sum, { joules }) => sum + joules, 0) / seconds;
  const { wall, wearPerHour } = electricity;
  const wallW = gpuW * wall.perGpuWatt + wall.hostW;
  return (at) => {
    const price = meanPrice(tariff, at, at + HOUR_MS);
    return price && energyCost(wallW * 60, price.dollarsPerKWh) + wearPerHour / 60;
  };
}
