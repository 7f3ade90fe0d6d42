import { canaryWaitMs } from '../../domain/gpu-breaker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { sleep } from '../../lib/sleep.ts';
import type { Observer } from '../events/events.ts';
import type { InternalJobDeps } from '../jobs/internal-job.ts';
import { type CanaryFailure, type CanaryImage, canaryName, runCanary } from './canary.ts';
import type { GpuCordons } from './cordons.ts';
import type { GpuPoller } from './gpu-poller.ts';
import type { GpuTenants } from './gpu-tenants.ts';

/** A GPU of which nvidia-smi speaks ill is asked about this often whether it is well again. */
const NOT_WELL_MS = 5_000;
/** A GPU that is suspected again within this time of a canary that passed is not tried again at once. */
const AGAIN_WITHIN_MS = 3_600_000;

/** What trials stand on. */
export type CanarySchedulerDeps = InternalJobDeps & {
  readonly clock: Clock;
  readonly observe: Observer;
  readonly cordons: GpuCordons;
  readonly polls: GpuPoller;
  readonly tenants: GpuTenants;
  /** Images to try a GPU with, the best first. */
  readonly images: (uuid: string) => readonly CanaryImage[];
  readonly onPassed: (uuid: string) => void;
  /** How long to wait before a canary, after so many in vain; by default as `canaryWaitMs` says. */
  readonly waitMs?: (failures: number) => number;
  /** Aborted when no more jobs are taken: then no GPU has to be tried. */
  readonly market: AbortSignal;
};

/** Tries suspected GPUs with canaries until one passes: nvidia-smi has to speak well of the GPU first. */
export class CanaryScheduler {
  readonly #deps: CanarySchedulerDeps;
  /** How often a GPU was suspected since its trial began. */
  readonly #suspicions = new Map<string, number>();
  readonly #waitMs: (failures: number) => number;
  readonly #passes = new Map<string, { readonly at: number; readonly times: number }>();
  #running = 0;

  constructor(deps: CanarySchedulerDeps) {
    this.#deps = deps;
    this.#waitMs = deps.waitMs ?? canaryWaitMs;
  }

  /** Whether a canary is out now. */
  get busy(): boolean {
    return this.#running > 0;
  }

  /** Suspects a GPU or slice. `lasting`: a canary that passes says little, so that repeated suspicion means waiting. */
  suspect(uuid: string, lasting: boolean): void {
    const suspicions = this.#suspicions.get(uuid);
    this.#suspicions.set(uuid, (suspicions ?? 0) + 1);
    if (suspicions === undefined) void this.#try(uuid, lasting ? this.#recentPasses(uuid) : 0);
  }

  async #try(uuid: string, before: number): Promise<void> {
    const { clock, market, onPassed } = this.#deps;
    let failures = before;
    let waitMs = this.#waitMs(failures);
    while (await this.#wait(uuid, waitMs)) {
      const suspicions = this.#suspicions.get(uuid);
      const failure = await this.#once(uuid, failures);
      if (market.aborted) return;
      const away = failure?.engineAway === true;
      if (!away) failures += 1;
      waitMs = away ? NOT_WELL_MS : this.#waitMs(failures);
      // What has come up meanwhile, the canary knew nothing of.
      if (failure !== undefined || this.#suspicions.get(uuid) !== suspicions) continue;
      this.#suspicions.delete(uuid);
      this.#passes.set(uuid, { at: clock.monotonic(), times: this.#recentPasses(uuid) + 1 });
      return onPassed(uuid);
    }
  }

  /** Waits so long, and then until nvidia-smi speaks well of the GPU; false where the market is left. */
  async #wait(uuid: string, ms: number): Promise<boolean> {
    const { cordons, polls, market } = this.#deps;
    if (!(await sleep(ms, market))) return false;
    for (;;) {
      const look = await polls.poll();
      if (market.aborted) return false;
      if ('gpus' in look && cordons.find('probe', uuid) === undefined) return true;
      if (!(await sleep(NOT_WELL_MS, market))) return false;
    }
  }

  /** One canary; answers why it did not pass. */
  async #once(uuid: string, failures: number): Promise<CanaryFailure | undefined> {
    const { cordons, market, observe, tenants, random } = this.#deps;
    const images = this.#deps.images(uuid);
    const image = images[failures % Math.max(images.length, 1)];
    // Without any image nvidia-smi's word is all that can be had.
    if (image === undefined) return undefined;
    const name = canaryName(random);
    const gpu = cordons.sliceOf(uuid) ?? uuid;
    this.#running += 1;
    tenants.enter(gpu, name);
    const failure = await runCanary(this.#deps, { name, gpu, image }, market);
    tenants.leave(gpu, name);
    this.#running -= 1;
    if (!market.aborted && failure?.engineAway !== true) {
      const retryInMs = failure === undefined ? undefined : this.#waitMs(failures + 1);
      observe({ kind: 'gpu-canary', gpu: cordons.name(uuid), why: failure?.why, retryInMs });
    }
    return failure;
  }

  /** How many trials in a row this GPU has passed, each soon after the one before. */
  #recentPasses(uuid: string): number {
    const { at, times } = this.#passes.get(uuid) ?? { at: Number.NEGATIVE_INFINITY, times: 0 };
    return this.#deps.clock.monotonic() - at < AGAIN_WITHIN_MS ? times : 0;
  }
}
