/** What a simulated GPU is like. */
export type GpuSpec = {
  readonly memoryMiB: number;
  /** The power that it draws without work, and at most, in watts. */
  readonly idleW: number;
  readonly limitW: number;
  readonly maxClockMHz: number;
};

/** What jobs ask of a GPU: beyond 100 percent they share it. */
export type GpuLoad = { readonly utilizationPercent: number; readonly memoryMiB: number };

/** What changes by and by. */
export type GpuFigures = {
  readonly utilizationPercent: number;
  readonly powerW: number;
  readonly temperatureC: number;
  /** What it has taken so far, by the power of every moment rather than of samples. */
  readonly energyJ: number;
};

export const NO_LOAD: GpuLoad = { utilizationPercent: 0, memoryMiB: 0 };

/** The temperature of the room, in degrees Celsius, and how much warmer a GPU gets at its power limit. */
const ROOM_C = 31;
const WARMER_C = 43;
/** How fast a figure follows: after so many milliseconds, two thirds of the way is done. */
const UTILIZATION_MS = 1_500;
const POWER_MS = 1_000;
const TEMPERATURE_MS = 40_000;

/** The loads of jobs on one GPU together. */
export function together(loads: Iterable<GpuLoad>): GpuLoad {
  let sum = NO_LOAD;
  for (const { memoryMiB, utilizationPercent } of loads) {
    sum = {
      utilizationPercent: sum.utilizationPercent + utilizationPercent,
      memoryMiB: sum.memoryMiB + memoryMiB,
    };
  }
  return sum;
}

/** The figures of a GPU that has had the same load for long. Pure. */
export function steadyFigures({ idleW, limitW }: GpuSpec, load: GpuLoad): GpuFigures {
  const utilizationPercent = Math.min(Math.max(load.utilizationPercent, 0), 100);
  const powerW = idleW + (limitW - idleW) * 0.94 * (utilizationPercent / 100) ** 0.8;
  return { utilizationPercent, powerW, temperatureC: ROOM_C + WARMER_C * (powerW / limitW), energyJ: 0 };
}

/** The figures `ms` milliseconds later: each approaches what the load asks for. `noise` is from -1 to 1. Pure. */
export function nextFigures(
  spec: GpuSpec,
  before: GpuFigures,
  { load, ms, noise }: { readonly load: GpuLoad; readonly ms: number; readonly noise: number },
): GpuFigures {
  const wanted = load.utilizationPercent * (1 + 0.06 * noise);
  const { utilizationPercent } = steadyFigures(spec, { ...load, utilizationPercent: wanted });
  const utilization = towards(before.utilizationPercent, utilizationPercent, ms / UTILIZATION_MS);
  const steady = steadyFigures(spec, { ...load, utilizationPercent: utilization });
  const wantedW = Math.min(steady.powerW * (1 + 0.02 * noise), spec.limitW);
  const powerW = towards(before.powerW, wantedW, ms / POWER_MS);
  // The integral of the approach, which is exact.
  const joules = (wantedW * ms + (before.powerW - powerW) * POWER_MS) / 1_000;
  return {
    utilizationPercent: utilization,
    powerW,
    energyJ: before.energyJ + joules,
    temperatureC: towards(
      before.temperatureC,
      ROOM_C + WARMER_C * (powerW / spec.limitW),
      ms / TEMPERATURE_MS,
    ),
  };
}

/** The fan's speed in percent: it stands still while the GPU is cool. Pure. */
export function fanPercent(temperatureC: number): number {
  return temperatureC < 45 ? 0 : Math.min(30 + (temperatureC - 45) * 1.7, 100);
}

function towards(from: number, to: number, times: number): number {
  return to + (from - to) * Math.exp(-times);
}
