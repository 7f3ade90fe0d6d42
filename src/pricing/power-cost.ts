import type { Tariff } from './tariff.ts';
import { meanPrice } from './tariff.ts';

const JOULES_PER_KWH = 3_600_000;

/** From the watts of a GPU to those at the wall. */
export type WallPower = {
  /** Watts at the wall for one more watt of the GPU: the losses of the power supply, and what fans and memory take with it. */
  readonly perGpuWatt: number;
  /** Watts that the host takes more while the GPU works, whatever the GPU takes. */
  readonly hostW: number;
};

/** A reading of a meter at the wall, beside what all GPUs took by their sensors at the same time. */
export type MeterReading = { readonly wallW: number; readonly gpuW: number };

/** A common power supply with 90 % efficiency; of the host nothing is known. */
export const UNCALIBRATED: WallPower = { perGpuWatt: 1 / 0.9, hostW: 0 };

/** Of watts at the wall for a watt of the GPU: less is no power supply, more is no reading of this host alone. */
const [MIN, MAX] = [1, 2];

/**
 * What one more watt of the GPU is at the wall, by two readings: one idle, one at work. Undefined where they are too close to
 * tell, or contradict each other. Pure.
 */
export function calibrated(idle: MeterReading, busy: MeterReading): WallPower | undefined {
  const gpuW = busy.gpuW - idle.gpuW;
  if (!(gpuW >= 20)) return undefined;
  const perGpuWatt = (busy.wallW - idle.wallW) / gpuW;
  return perGpuWatt >= MIN && perGpuWatt <= MAX ? { perGpuWatt, hostW: 0 } : undefined;
}

/** The watts at the wall that a GPU at work takes more than an idle one. */
export function marginalWatts(busyW: number, idleW: number, { hostW, perGpuWatt }: WallPower): number {
  return Math.max(0, busyW - idleW) * perGpuWatt + hostW;
}

/** US dollars for so many joules at a price per kWh. */
export function energyCost(joules: number, dollarsPerKWh: number): number {
  return (joules / JOULES_PER_KWH) * dollarsPerKWh;
}

/** US dollars for energy that was used evenly from one instant to another; undefined: no price is known. */
export function energyCostOver(
  joules: number,
  tariff: Tariff,
  from: number,
  until: number,
): number | undefined {
  const price = meanPrice(tariff, from, until);
  return price && energyCost(joules, price.dollarsPerKWh);
}
