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

/** MiB in use on each GPU, by uuid, before there were jobs; undefined: not known. */
export type IdleMemory = ReadonlyMap<string, number | undefined>;

/** Waits until the memory of GPUs whose jobs have ended is free. */
export class MemoryReturn {
  readonly #deps: MemoryReturnDeps;

  constructor(deps: MemoryReturnDeps) {
    this.#deps = deps;
  }

  /** What was in use on GPUs when they were last idle. Asked before jobs end: their memory must not be taken for it. */
  idle(gpus: readonly { readonly uuid: string }[]): IdleMemory {
    const { gpuHealth } = this.#deps;
    return new Map(gpus.map(({ uuid }) => [uuid, gpuHealth.idleMemory(uuid)]));
  }

  /** Settles once all are free, or after ten seconds with the processes that still use them. Never rejects. */
  async returned(
    gpus: readonly { readonly uuid: string }[],
    idle: IdleMemory,
  ): Promise<readonly ReclaimedMemory[]> {
    const { clock, gpuHealth, signal } = this.#deps;
    if (gpus.length === 0) return [];
    const until = clock.monotonic() + NAME_AFTER_MS;
    for (;;) {
      const seen = await gpuHealth.gpus().catch(() => undefined);
      const found = await Promise.all(
        gpus.map(({ uuid }) => this.#verdict(uuid, seen ?? [], idle.get(uuid))),
      );
      // What is unknown has no process, so no end of one will change it.
      const isOver = seen !== undefined && found.every(({ state }) => state !== 'in-use');
      if (isOver || clock.monotonic() >= until || !(await sleep(INTERVAL_MS, signal))) return found;
    }
  }

  /**
   * Without a baseline, as after a restart while jobs run, memory is free where next to none is in use, and in use where
   * there are processes; these decide alone where there are no figures.
   */
  async #verdict(gpu: string, all: readonly Gpu[], idleMiB: number | undefined): Promise<ReclaimedMemory> {
    const seen = all.find(({ uuid }) => uuid === gpu);
    const leaked = seen && leakedMiB(seen, idleMiB ?? 0);
    if (leaked === 0) return { gpu, state: 'free', inUseMiB: 0, processes: [] };
    const processes = await this.#deps.gpuHealth.processesOn(gpu);
    const isKnown = processes.length > 0 || (leaked !== undefined && idleMiB !== undefined);
    const inUseMiB = leaked ?? processes.reduce((sum, { usedMiB = 0 }) => sum + usedMiB, 0);
    return { gpu, state: isKnown ? 'in-use' : 'unknown', inUseMiB: Math.round(inUseMiB), processes };
  }
}
