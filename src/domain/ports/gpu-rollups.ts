import type { GpuRollup } from '../gpu-rollup.ts';

/** Where the use of GPUs is kept: minutes for two days, hours for two years. */
export interface GpuRollups {
  /** Adds these, each of a minute, to what is kept of that minute and of its hour; all or none. Throws STATE_DIR_UNUSABLE. */
  add(minutes: readonly GpuRollup[]): void;
}
