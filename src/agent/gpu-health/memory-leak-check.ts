import { asAgentError } from '../../domain/errors.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { describeLeak, type GpuProcess, leakedMiB } from '../../domain/gpu-memory.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { GpuProbe } from '../../domain/ports/gpu.ts';
import type { Log } from '../../lib/log.ts';
import { sleep } from '../../lib/sleep.ts';
import type { GpuCordons } from './cordons.ts';
import type { GpuPoller, GpuSnapshot } from './gpu-poller.ts';
import type { GpuTenants } from './gpu-tenants.ts';

/** A GPU's memory may take this long to come back after a job. */
const PATIENCE_MS = 10_000;
const AGAIN_MS = 1_000;

const HINT =
  'end what holds it (nvidia-smi shows who); if it is your own, start the agent again: what is in use then counts as usual';

/** What a memory watch workers on. */
export type GpuMemoryLeakCheckDeps = {
  readonly probe: GpuProbe;
  readonly polls: Pick<GpuPoller, 'poll' | 'reportAnomaly'>;
  readonly cordons: GpuCordons;
  readonly occupancy: GpuTenants;
  readonly clock: Clock;
  readonly log: Log;
  /** Ends everything here. */
  readonly signal: AbortSignal;
};

/** Sees to it that jobs leave a GPU's memory as it was; keeps new ones off a GPU where something is left of one. */
export class GpuMemoryLeakCheck {
  readonly #deps: GpuMemoryLeakCheckDeps;
  /** MiB in use as last seen while none of our jobs was there, by GPU. */
  readonly #baselines = new Map<string, number>();
  /** The GPUs that are being looked at after a job; each settles with the first look. */
  readonly #checks = new Map<string, Promise<void>>();

  constructor(deps: GpuMemoryLeakCheckDeps) {
    this.#deps = deps;
  }

  /** Called as a look begins; answers what to do with what it shows. */
  begin(): (gpus: readonly Gpu[]) => void {
    const { occupancy } = this.#deps;
    const before = occupancy.versions;
    return (gpus) => {
      for (const gpu of gpus) {
        // Figures of a GPU that somebody came to or left meanwhile mean nothing.
        const steady = (before.get(gpu.uuid) ?? 0) === occupancy.version(gpu.uuid);
        if (steady && occupancy.isEmpty(gpu.uuid) && !this.#checks.has(gpu.uuid)) this.#recordBaseline(gpu);
      }
    };
  }

  /** A job has left a GPU: unless others are on it, its memory is looked at. */
  left(uuid: string): void {
    if (!this.#baselines.has(uuid) || this.#checks.has(uuid) || !this.#deps.occupancy.isEmpty(uuid)) return;
    const seen = Promise.withResolvers<void>();
    this.#checks.set(uuid, seen.promise);
    void this.#check(uuid, seen.resolve).finally(() => {
      this.#checks.delete(uuid);
      seen.resolve();
    });
  }

  /** Settles once a GPU that a job has just left was looked at. */
  async checked(uuid: string): Promise<void> {
    await this.#checks.get(uuid);
  }

  #recordBaseline(gpu: Gpu): void {
    const { cordons } = this.#deps;
    if (gpu.migMode || gpu.memoryUsedMiB === undefined) return;
    const more = leakedMiB(gpu, this.#baselines.get(gpu.uuid));
    if (cordons.get('memory-leak', gpu.uuid) === undefined) this.#baselines.set(gpu.uuid, gpu.memoryUsedMiB);
    else if (more === 0) cordons.uncordon('memory-leak', gpu.uuid);
  }

  /** Looks until the memory is back; where it is not in time, says what is left and keeps the GPU out. */
  async #check(uuid: string, seen: () => void): Promise<void> {
    const { clock, cordons, polls, signal } = this.#deps;
    const until = clock.monotonic() + PATIENCE_MS;
    for (;;) {
      const more = await this.#look(uuid);
      if (signal.aborted) return;
      if (more === undefined || more === 0) return cordons.uncordon('memory-leak', uuid);
      if (clock.monotonic() >= until) {
        cordons.cordon('memory-leak', uuid, {
          why: describeLeak(more, await this.#processesOn(uuid)),
          hint: HINT,
        });
        return polls.reportAnomaly();
      }
      // No job until it is known; the slot need not wait for that.
      cordons.cordon('memory-leak', uuid, { why: 'its memory is not back yet', hint: HINT, quiet: true });
      seen();
      if (!(await sleep(AGAIN_MS, signal))) return;
    }
  }

  /** How much is left over; undefined where there is no telling, or another job has come. */
  async #look(uuid: string): Promise<number | undefined> {
    const { polls, occupancy } = this.#deps;
    const version = occupancy.version(uuid);
    const look: GpuSnapshot = await polls.poll();
    if (occupancy.version(uuid) !== version || 'error' in look) return undefined;
    const gpu = look.gpus.find((seen) => seen.uuid === uuid);
    return gpu === undefined ? undefined : leakedMiB(gpu, this.#baselines.get(uuid));
  }

  async #processesOn(uuid: string): Promise<readonly GpuProcess[]> {
    const { log, probe, signal } = this.#deps;
    try {
      return ((await probe.processes?.(signal)) ?? []).filter(({ gpu }) => gpu === uuid);
    } catch (thrown) {
      log.debug({ err: asAgentError(thrown) }, 'the processes on a GPU could not be seen');
      return [];
    }
  }
}
