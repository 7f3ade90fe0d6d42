import type { GpuSample } from './gpu-sample.ts';

/** A GPU that was too hot gets jobs again so far below its limit, in kelvins. */
const HYSTERESIS_K = 5;

/** The temperature at which a GPU with this limit gets jobs again, in degrees Celsius. */
export function coolAgainC(limitC: number): number {
  return limitC - HYSTERESIS_K;
}

/**
 * Whether a GPU is too hot for new jobs: from its limit on, until it is 5 K below. An unknown temperature changes nothing;
 * a GPU that is powered down has cooled. Pure.
 */
export function isTooHot(
  limitC: number,
  { asleep, temperatureC }: Pick<GpuSample, 'asleep' | 'temperatureC'>,
  wasTooHot: boolean,
): boolean {
  if (asleep) return false;
  if (temperatureC === undefined) return wasTooHot;
  return wasTooHot ? temperatureC > coolAgainC(limitC) : temperatureC >= limitC;
}

/** How long heat slows a GPU down, or has stopped to, before it is worth a word. In milliseconds. */
const REPORT_MS = 60_000;
/** A sample speaks for at most so long, in milliseconds. */
const MAX_STEP_MS = 15_000;

/** Whether a GPU is slowed down by heat. Drivers switch to and fro by the second. */
export type Throttling = {
  /** How much longer it was slowed down than not, from 0 to REPORT_MS. */
  readonly balanceMs: number;
  /** Slowed down for a minute, and since then not free of it for as long. */
  readonly isLasting: boolean;
};

export const NOT_THROTTLING: Throttling = { balanceMs: 0, isLasting: false };

/** What is known `ms` after `before`, with a sample that is slowed down by heat or not. Pure. */
export function throttlingAfter(before: Throttling, isThermal: boolean, ms: number): Throttling {
  const step = Math.min(Math.max(ms, 0), MAX_STEP_MS);
  const balanceMs = Math.min(Math.max(before.balanceMs + (isThermal ? step : -step), 0), REPORT_MS);
  if (balanceMs === REPORT_MS) return { balanceMs, isLasting: true };
  return { balanceMs, isLasting: balanceMs > 0 && before.isLasting };
}
