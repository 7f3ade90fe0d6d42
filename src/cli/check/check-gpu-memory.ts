import type { Gpu } from '../../domain/gpu.ts';
import { type MinFreeMemory, shortageOf } from '../../domain/gpu-memory.ts';
import type { HostMemory } from '../../domain/ports/host.ts';
import { type CheckResult, warn } from './check-result.ts';

/** The GPUs whose memory others use; jobs that run on them now count as well. One result for each. */
export function checkGpuMemory(
  gpus: readonly Gpu[],
  min: MinFreeMemory,
  host: HostMemory | undefined,
): readonly CheckResult[] {
  return gpus.flatMap((gpu) => {
    const short = gpu.fault === undefined ? shortageOf(gpu, min, host) : undefined;
    return short === undefined ? [] : [warn(`gpu ${gpu.index} memory`, short.why, short.hint)];
  });
}
