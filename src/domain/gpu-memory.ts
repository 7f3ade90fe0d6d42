import type { Gpu } from './gpu.ts';

/** The memory in use may differ from the baseline by this much, or by this share of all memory if that is more. */
const TOLERANCE_MIB = 512;
const TOLERANCE_SHARE = 0.03;

/** A process that uses memory of a GPU. */
export type GpuProcess = {
  readonly pid: number;
  /** The uuid of the GPU. */
  readonly gpu: string;
  readonly usedMiB: number | undefined;
};

/**
 * How many MiB of a GPU's memory are in use above the baseline, which is measured while no job of ours is on it; 0 within
 * the tolerance. Undefined without figures, as for a GPU in MIG mode.
 */
export function leakedMiB(gpu: Gpu, baselineMiB: number | undefined): number | undefined {
  const { memoryTotalMiB, memoryUsedMiB, migMode } = gpu;
  if (migMode || memoryUsedMiB === undefined || baselineMiB === undefined) return undefined;
  const toleranceMiB = Math.max(TOLERANCE_MIB, (memoryTotalMiB ?? 0) * TOLERANCE_SHARE);
  const excessMiB = memoryUsedMiB - baselineMiB;
  return excessMiB > toleranceMiB ? excessMiB : 0;
}

/** Describes leaked memory for people. */
export function describeLeak(leaked: number, processes: readonly GpuProcess[]): string {
  const named = processes.map(({ pid, usedMiB }) =>
    usedMiB === undefined ? String(pid) : `${pid} (${usedMiB} MiB)`,
  );
  const users =
    named.length === 0
      ? 'held by no known process'
      : `held by process${named.length === 1 ? '' : 'es'} ${named.join(', ')}`;
  return `${Math.round(leaked)} MiB of GPU memory are still in use after its last job ended, ${users}`;
}
