import { type Gpu, sharesHostMemory } from './gpu.ts';
import type { HostMemory } from './ports/host.ts';

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

/** The memory of a GPU that its owner has taken back. */
export type ReclaimedMemory = {
  /** The GPU's uuid. */
  readonly gpu: string;
  /**
   * `unknown`: no process is known to use it, and there are no figures, as in MIG mode, or none from before its jobs to
   * compare with.
   */
  readonly state: 'free' | 'in-use' | 'unknown';
  /** How much is in use beyond what was before the job, in MiB; all that is in use where that is not known, and 0 without figures. */
  readonly inUseMiB: number;
  /** The processes that use the GPU; empty where its memory is free, and where nvidia-smi shows none. */
  readonly processes: readonly GpuProcess[];
};

/** How much memory of a GPU must be free: so many bytes, or a part of it from 0 to 1. */
export type MinFreeMemory = { readonly bytes: number } | { readonly part: number };

/** The memory of a GPU in MiB; what is free may be the host's, where the GPU has none of its own. */
export type MemoryFigures = { readonly totalMiB: number; readonly freeMiB: number };

const MIB = 2 ** 20;
/** A GPU that was short of memory must have this part of it free beyond the minimum, or it would come and go. */
const HYSTERESIS = 0.02;

/**
 * What is free on a GPU; `host` is the memory of this host, which a GPU without memory of its own shares. Undefined
 * without figures, and in MIG mode, where each slice has its own memory.
 */
export function memoryFigures(gpu: Gpu, host: HostMemory | undefined): MemoryFigures | undefined {
  const { memoryReservedMiB = 0, memoryTotalMiB: totalMiB, memoryUsedMiB, migMode } = gpu;
  if (migMode) return undefined;
  if (sharesHostMemory(gpu))
    return host && { totalMiB: host.totalBytes / MIB, freeMiB: host.availableBytes / MIB };
  if (totalMiB === undefined || memoryUsedMiB === undefined) return undefined;
  return { totalMiB, freeMiB: Math.max(totalMiB - memoryUsedMiB - memoryReservedMiB, 0) };
}

/** How much memory must be free, in MiB. */
function minFreeMiB(min: MinFreeMemory, { totalMiB }: MemoryFigures): number {
  return 'bytes' in min ? min.bytes / MIB : min.part * totalMiB;
}

/** Whether too little memory is free. A GPU that `wasShort` needs a little more, but never more than all. */
export function isShort(min: MinFreeMemory, memory: MemoryFigures, wasShort: boolean): boolean {
  const needed = minFreeMiB(min, memory);
  if (needed <= 0) return false;
  const margin = wasShort ? HYSTERESIS * memory.totalMiB : 0;
  return memory.freeMiB < Math.max(needed, Math.min(needed + margin, memory.totalMiB));
}

/** Why a GPU gets no jobs, and what its owner can do about it. */
export type Shortage = { readonly why: string; readonly hint: string };

/** Why a GPU gets no jobs for lack of free memory; undefined: enough is free, or it is unknown. Pure. */
export function shortageOf(
  gpu: Gpu,
  min: MinFreeMemory,
  host: HostMemory | undefined,
  wasShort = false,
): Shortage | undefined {
  const memory = memoryFigures(gpu, host);
  if (memory === undefined || !isShort(min, memory, wasShort)) return undefined;
  const [free, total, needed] = [memory.freeMiB, memory.totalMiB, minFreeMiB(min, memory)].map(Math.floor);
  return {
    why: `only ${free} MiB of its ${total} MiB memory are free, and ${needed} MiB must be: other programs use it`,
    hint: 'end the programs that nvidia-smi shows on it, or lower --min-free-gpu-memory; it gets jobs again by itself',
  };
}

/** What CUDA, PyTorch, TensorFlow, JAX and their like say where a GPU has no memory left. */
const OUT_OF_MEMORY =
  /\b(?:CUDA|GPU|HIP)\b[^\n]{0,40}\bout of memory\b|\bOutOfMemoryError\b|\b\w*OUT_OF_MEMORY\b|\bcudaErrorMemoryAllocation\b|\b\w+_STATUS_ALLOC_FAILED\b|\bRESOURCE_EXHAUSTED\b|\bOOM when allocating\b/i;

/** Whether the output of a failed job says that its GPU had too little memory. */
export function isGpuOutOfMemory(stderr: string): boolean {
  return OUT_OF_MEMORY.test(stderr);
}
