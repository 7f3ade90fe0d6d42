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

/** How long a GPU's memory may take to be free again after a job. */
const FREE_AGAIN_MS = 10_000;
const INTERVAL_MS = 1_000;

const HINT =
  'end the processes that nvidia-smi shows on it; if they are your own, restart the agent: it then counts their memory as usual';

export type GpuMemoryLeakCheckDeps = {
  readonly probe: Pick<GpuProbe, 'processes'>;
  readonly polls: Pick<GpuPoller, 'poll' | 'reportAnomaly'>;
  readonly cordons: GpuCordons;
  readonly tenants: GpuTenants;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborted when the daemon ends. */
  readonly signal: AbortSignal;
};

/** Compares a GPU's memory in use after a job with the baseline; cordons the GPU while the job's memory is not free. */
export class GpuMemoryLeakCheck {
  readonly #deps: GpuMemoryLeakCheckDeps;
  /** MiB in use when the GPU was last idle, by GPU. */
  readonly #baselines = new Map<string, number>();
  /** The checks under way, by GPU; each settles with its first poll. */
  readonly #checks = new Map<string, Promise<void>>();

  constructor(deps: GpuMemoryLeakCheckDeps) {
    this.#deps = deps;
  }

  /** Takes the memory in use of idle GPUs for their baseline. */
  record({ gpus, idle }: Exclude<GpuSnapshot, { error: unknown }>): void {
    for (const gpu of gpus) if (idle.has(gpu.uuid) && !this.#checks.has(gpu.uuid)) this.#recordBaseline(gpu);
  }

  /** Checks a GPU that a job has left, unless others are on it. */
  jobLeft(uuid: string): void {
    if (!this.#baselines.has(uuid) || this.#checks.has(uuid) || !this.#deps.tenants.isEmpty(uuid)) return;
    const polled = Promise.withResolvers<void>();
    this.#checks.set(uuid, polled.promise);
    void this.#check(uuid, polled.resolve).finally(() => {
      this.#checks.delete(uuid);
      polled.resolve();
    });
  }

  /** The MiB in use when the GPU was last idle; undefined: unknown. */
  baselineOf(uuid: string): number | undefined {
    return this.#baselines.get(uuid);
  }

  /** Whether the memory of a job that has left this GPU is being checked. */
  isChecking(uuid: string): boolean {
    return this.#checks.has(uuid);
  }

  /** Settles once a GPU that a job has just left was polled. */
  async checked(uuid: string): Promise<void> {
    await this.#checks.get(uuid);
  }

  #recordBaseline(gpu: Gpu): void {
    const { cordons } = this.#deps;
    if (gpu.migMode || gpu.memoryUsedMiB === undefined) return;
    const leaked = leakedMiB(gpu, this.#baselines.get(gpu.uuid));
    if (cordons.get('memory-leak', gpu.uuid) === undefined) this.#baselines.set(gpu.uuid, gpu.memoryUsedMiB);
    else if (leaked === 0) cordons.uncordon('memory-leak', gpu.uuid);
  }

  /** Polls until the memory is free again; after FREE_AGAIN_MS the cordon says who uses it. */
  async #check(uuid: string, polled: () => void): Promise<void> {
    const { clock, cordons, polls, signal } = this.#deps;
    const until = clock.monotonic() + FREE_AGAIN_MS;
    for (;;) {
      const leaked = await this.#leakedMiB(uuid);
      if (signal.aborted) return;
      if (leaked === undefined || leaked === 0) return cordons.uncordon('memory-leak', uuid);
      if (clock.monotonic() >= until) {
        const why = describeLeak(leaked, await this.processesOn(uuid));
        cordons.cordon('memory-leak', uuid, { why, hint: HINT });
        return polls.reportAnomaly();
      }
      // The slot need not wait: the cordon keeps jobs off the GPU.
      cordons.cordon('memory-leak', uuid, { why: 'its memory is not free yet', hint: HINT, quiet: true });
      polled();
      if (!(await sleep(INTERVAL_MS, signal))) return;
    }
  }

  /** undefined where it is not known, or another job has come. */
  async #leakedMiB(uuid: string): Promise<number | undefined> {
    const snapshot = await this.#deps.polls.poll();
    if ('error' in snapshot || !snapshot.idle.has(uuid)) return undefined;
    const gpu = snapshot.gpus.find((seen) => seen.uuid === uuid);
    return gpu === undefined ? undefined : leakedMiB(gpu, this.#baselines.get(uuid));
  }

  /** The processes on a GPU; none where nvidia-smi does not list them. Never rejects. */
  async processesOn(uuid: string): Promise<readonly GpuProcess[]> {
    const { log, probe, signal } = this.#deps;
    try {
      return ((await probe.processes?.(signal)) ?? []).filter(({ gpu }) => gpu === uuid);
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      log.debug({ event: 'gpu-processes-unavailable', code }, `processes on a GPU not listed: ${message}`);
      return [];
    }
  }
}
