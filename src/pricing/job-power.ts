import { type JobEnergy, marginalJoules, type PricedEnergy } from '../domain/job-energy.ts';
import type { Electricity } from './electricity.ts';
import { microDollars } from './money.ts';
import { energyCost } from './power-cost.ts';
import { meanPrice } from './tariff.ts';

/**
 * What the power of a job costs that ended at `until` of the wall clock: at the wall, above idle, by the mean price of the time
 * that it ran. Where the price was known for a part of that time, its mean there counts for all. Pure.
 */
export function pricedEnergy(
  energy: JobEnergy,
  { tariff, wall }: Pick<Electricity, 'tariff' | 'wall'>,
  until: number,
): PricedEnergy {
  const prices = tariff();
  const price = prices && meanPrice(prices, until - energy.ms, until);
  const gpuJoules = marginalJoules(energy);
  if (price === undefined || gpuJoules === undefined)
    return { ...energy, powerMicroDollars: undefined, isCostEstimate: energy.isEstimate };
  const wallJoules = gpuJoules * wall.perGpuWatt + (wall.hostW * energy.ms) / 1_000;
  return {
    ...energy,
    powerMicroDollars: microDollars(energyCost(wallJoules, price.dollarsPerKWh)),
    isCostEstimate: energy.isEstimate || price.known < 1,
  };
}
