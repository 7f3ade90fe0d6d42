import type { Gpu } from '../../domain/gpu.ts';
import { leakedMiB, type ReclaimedMemory } from '../../domain/gpu-memory.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { sleep } from '../../lib/sleep.ts';
import type { GpuHealth } from '../gpu-health/gpu-health.ts';

/** How long a GPU's memory may take to be free again before the process that uses it is named. */
const NAME_AFTER_MS = 10_000;
const INTERVAL_MS = 250;

export type MemoryReturnDeps = {
  readonly gpuHealth: Pick<GpuHealth, 'gpus' | 'idleMemory' | 'processesOn'>;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** Waits until the memory of GPUs whose jobs have ended is free. */
export class MemoryReturn {
  readonly #deps: MemoryReturnDeps;

  constructor(deps: MemoryReturnDeps) {
    this.#deps = deps;
  }

  /** Settles once all are free, or after ten seconds with the processes that still use them. Never rejects. */
  async returned(gpus: readonly { readonly uuid: string }[]): Promise<readonly ReclaimedMemory[]> {
    const { clock, gpuHealth, signal } = this.#deps;
    if (gpus.length === 0) return [];
    const until = clock.monotonic() + NAME_AFTER_MS;
    for (;;) {
      const seen = await gpuHealth.gpus().catch((): readonly Gpu[] => []);
      const left = gpus.map(({ uuid }) => ({ uuid, inUseMiB: this.#inUse(uuid, seen) }));
      const isOver = left.every(({ inUseMiB }) => inUseMiB === undefined || inUseMiB === 0);
      if (isOver || clock.monotonic() >= until || !(await sleep(INTERVAL_MS, signal)))
        return Promise.all(left.map((gpu) => this.#verdict(gpu.uuid, gpu.inUseMiB)));
    }
  }

  #inUse(uuid: string, seen: readonly Gpu[]): number | undefined {
    const gpu = seen.find((one) => one.uuid === uuid);
    return gpu && leakedMiB(gpu, this.#deps.gpuHealth.idleMemory(uuid));
  }

  async #verdict(gpu: string, inUseMiB: number | undefined): Promise<ReclaimedMemory> {
    if (inUseMiB === undefined) return { gpu, state: 'unknown', inUseMiB: 0, processes: [] };
    if (inUseMiB === 0) return { gpu, state: 'free', inUseMiB: 0, processes: [] };
    const processes = await this.#deps.gpuHealth.processesOn(gpu);
    return { gpu, state: 'in-use', inUseMiB: Math.round(inUseMiB), processes };
  }
}
