import type { Gpu } from './gpu.ts';

/** What a GPU's memory may differ by between two looks with nothing having been left behind: this much, ... */
const ALLOWED_MIB = 512;
/** ... or this share of all of it, whichever is more. */
const ALLOWED_SHARE = 0.03;

/** A process that holds memory of a GPU. */
export type GpuProcess = {
  readonly pid: number;
  /** The uuid of the GPU. */
  readonly gpu: string;
  readonly usedMiB: number | undefined;
};

/**
 * How much more of a GPU's memory is in use than when none of our jobs was on it, in MiB; 0 where that is within
 * what may differ. Undefined where there are no figures, as for GPUs that are cut into slices.
 */
export function leftoverMiB(gpu: Gpu, baselineMiB: number | undefined): number | undefined {
  const { memoryTotalMiB, memoryUsedMiB, migMode } = gpu;
  if (migMode || memoryUsedMiB === undefined || baselineMiB === undefined) return undefined;
  const allowed = Math.max(ALLOWED_MIB, (memoryTotalMiB ?? 0) * ALLOWED_SHARE);
  const more = memoryUsedMiB - baselineMiB;
  return more > allowed ? more : 0;
}

/** What was left on a GPU, for people. */
export function describeLeftovers(moreMiB: number, processes: readonly GpuProcess[]): string {
  const named = processes.map(({ pid, usedMiB }) =>
    usedMiB === undefined ? String(pid) : `${pid} (${usedMiB} MiB)`,
  );
  const whose = {
    0: 'no process is known to hold them',
    1: `held by process ${named[0]}`,
  }[named.length];
  const held = whose ?? `held by the processes ${named.join(', ')}`;
  return `${Math.round(moreMiB)} MiB of its memory are still in use after the last job on it, ${held}`;
}
