/** The figures of one GPU at one moment. A figure that the driver does not know, or cannot read, is undefined. */
export type GpuSample = {
  /** Of the GPU, never of a MIG slice. */
  readonly uuid: string;
  /** When it was read, by the wall clock, in milliseconds. */
  readonly at: number;
  readonly utilizationPercent: number | undefined;
  readonly memoryUsedMiB: number | undefined;
  readonly memoryFreeMiB: number | undefined;
  readonly memoryTotalMiB: number | undefined;
  readonly temperatureC: number | undefined;
  /** Of the intended speed; some fans go beyond 100. */
  readonly fanPercent: number | undefined;
  /** The mean of the last second where the driver has one, else the last measurement. */
  readonly powerW: number | undefined;
  readonly powerLimitW: number | undefined;
  readonly smClockMHz: number | undefined;
  /** What holds its clocks down now; empty also where the driver does not say. */
  readonly throttle: readonly ThrottleReason[];
  /** From `P0`, the fastest, to `P15`. */
  readonly pstate: string | undefined;
  /** Whether a screen shows what it draws. */
  readonly displayActive: boolean | undefined;
  /** It is powered down and was not woken for this: it has no figures. */
  readonly asleep: boolean;
};

/** A sample of which no figure is known. */
export function emptySample(uuid: string, at: number): GpuSample {
  return {
    uuid,
    at,
    utilizationPercent: undefined,
    memoryUsedMiB: undefined,
    memoryFreeMiB: undefined,
    memoryTotalMiB: undefined,
    temperatureC: undefined,
    fanPercent: undefined,
    powerW: undefined,
    powerLimitW: undefined,
    smClockMHz: undefined,
    throttle: [],
    pstate: undefined,
    displayActive: undefined,
    asleep: false,
  };
}

/** The bits of `clocks_event_reasons.active`, from nvml.h. The bit of an idle GPU, 0x1, is left out: nothing slows it. */
const REASONS = [
  [0x2n, 'clocks_setting'],
  [0x4n, 'power_cap'],
  [0x8n, 'hw_slowdown'],
  [0x10n, 'sync_boost'],
  [0x20n, 'sw_thermal'],
  [0x40n, 'hw_thermal'],
  [0x80n, 'hw_power_brake'],
  [0x100n, 'display_clock'],
] as const;

/** Why a GPU runs slower than it could. */
export type ThrottleReason = (typeof REASONS)[number][1];

/** The reasons in a mask such as `0x0000000000000024`; none for any other text, and for bits of newer drivers. */
export function throttleReasons(mask: string): readonly ThrottleReason[] {
  if (!/^0x[\da-f]{1,16}$/i.test(mask)) return [];
  const bits = BigInt(mask);
  return REASONS.flatMap(([bit, name]) => ((bits & bit) === 0n ? [] : [name]));
}

/** Whether heat slows the GPU down. */
export function isThermal({ throttle }: Pick<GpuSample, 'throttle'>): boolean {
  return throttle.includes('sw_thermal') || throttle.includes('hw_thermal');
}
