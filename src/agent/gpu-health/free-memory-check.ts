import type { Gpu } from '../../domain/gpu.ts';
import { leakedMiB, type MinFreeMemory, type Shortage, shortageOf } from '../../domain/gpu-memory.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { HostMemory } from '../../domain/ports/host.ts';
import { sleep } from '../../lib/sleep.ts';
import type { GpuCordons } from './cordons.ts';
import type { GpuPoller, GpuSnapshot } from './gpu-poller.ts';
import type { GpuTenants } from './gpu-tenants.ts';

/** How long the memory of a job that has ended may take to be free. */
const FREE_AGAIN_MS = 5_000;
const INTERVAL_MS = 500;

export type FreeMemoryCheckDeps = {
  readonly minFreeGpuMemory: MinFreeMemory;
  /** For GPUs that share it; undefined: it cannot be read. */
  readonly hostMemory: () => HostMemory | undefined;
  readonly polls: Pick<GpuPoller, 'poll'>;
  readonly cordons: GpuCordons;
  readonly tenants: GpuTenants;
  readonly clock: Clock;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
};

/**
 * Cordons a GPU while other programs leave too little of its memory. It is measured while no job of ours is on the GPU;
 * meanwhile the last verdict stands, because nvidia-smi does not say whose memory it is.
 */
export class FreeMemoryCheck {
  readonly #deps: FreeMemoryCheckDeps;

  constructor(deps: FreeMemoryCheckDeps) {
    this.#deps = deps;
  }

  /** `isSettling`: the memory of a job that has just ended may still be in use. */
  record(
    { gpus, idle }: Exclude<GpuSnapshot, { error: unknown }>,
    isSettling: (uuid: string) => boolean,
  ): void {
    const { cordons } = this.#deps;
    for (const gpu of gpus) {
      if (!idle.has(gpu.uuid) || isSettling(gpu.uuid)) continue;
      const before = cordons.get('memory', gpu.uuid);
      const short = this.#shortage(gpu, before !== undefined);
      if (short === undefined) cordons.uncordon('memory', gpu.uuid);
      else if (before === undefined) cordons.cordon('memory', gpu.uuid, short);
    }
  }

  /**
   * Why too little memory was free for the only job on a GPU, which has ended; undefined: enough was, or unknown. With a
   * `baselineMiB` also memory counts that others have taken since the GPU was idle.
   */
  async shortageFor(uuid: string, job: string, baselineMiB?: number): Promise<string | undefined> {
    const { clock, polls, signal, tenants } = this.#deps;
    const until = clock.monotonic() + FREE_AGAIN_MS;
    for (;;) {
      if (tenants.tenants(uuid).some((tenant) => tenant !== job)) return undefined;
      const snapshot = await polls.poll();
      const gpu = 'gpus' in snapshot ? snapshot.gpus.find((seen) => seen.uuid === uuid) : undefined;
      const short = gpu && (this.#shortage(gpu, false)?.why ?? takenSince(gpu, baselineMiB));
      if (short === undefined || clock.monotonic() >= until) return short;
      if (!(await sleep(INTERVAL_MS, signal))) return undefined;
    }
  }

  #shortage(gpu: Gpu, wasShort: boolean): Shortage | undefined {
    const { hostMemory, minFreeGpuMemory } = this.#deps;
    return shortageOf(gpu, minFreeGpuMemory, hostMemory(), wasShort);
  }
}

function takenSince(gpu: Gpu, baselineMiB: number | undefined): string | undefined {
  const taken = leakedMiB(gpu, baselineMiB) ?? 0;
  return taken > 0
    ? `other programs took ${Math.round(taken)} MiB of its memory while the job ran`
    : undefined;
}
