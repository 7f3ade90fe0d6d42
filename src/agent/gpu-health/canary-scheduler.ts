import type { Clock } from '../../domain/ports/clock.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { sleep } from '../../lib/sleep.ts';
import type { Observer } from '../events/events.ts';
import { RETRY } from '../retry/policies.ts';
import { type CanaryDeps, type CanaryFailure, type CanaryImage, canaryName, runCanary } from './canary.ts';
import type { GpuCordons } from './cordons.ts';
import type { GpuPoller } from './gpu-poller.ts';
import type { GpuTenants } from './gpu-tenants.ts';

/** How often a GPU that nvidia-smi reports as faulty is polled, and the engine is tried while it is unreachable. */
const RECHECK_MS = 5_000;
/** A GPU that is suspected again this soon after a canary has passed waits longer for the next. */
const RECENT_MS = 3_600_000;

export type CanarySchedulerDeps = CanaryDeps & {
  readonly clock: Clock;
  readonly observe: Observer;
  readonly cordons: GpuCordons;
  readonly polls: GpuPoller;
  readonly tenants: GpuTenants;
  /** Images for canaries on a GPU, the best first. */
  readonly images: (uuid: string) => readonly CanaryImage[];
  readonly onPassed: (uuid: string) => void;
  /** How long to wait before a canary, after so many failed; by default as RETRY.canary says. */
  readonly waitMs?: (failures: number) => number;
  /** Aborted when no more jobs are claimed: then no canary is needed. */
  readonly market: AbortSignal;
};

/** Runs canaries on suspected GPUs until one passes; each waits until nvidia-smi reports no fault. */
export class CanaryScheduler {
  readonly #deps: CanarySchedulerDeps;
  /** How often a GPU was suspected since its last canary passed. */
  readonly #suspicions = new Map<string, number>();
  readonly #waitMs: (failures: number) => number;
  readonly #passes = new Map<string, { readonly at: number; readonly times: number }>();
  #running = 0;

  constructor(deps: CanarySchedulerDeps) {
    this.#deps = deps;
    this.#waitMs = deps.waitMs ?? canaryWaitMs;
  }

  /** Whether a canary runs now. */
  get busy(): boolean {
    return this.#running > 0;
  }

  /** Suspects a GPU or slice. `lasting`: a passed canary shows little, so repeated suspicion means longer waits. */
  suspect(uuid: string, lasting: boolean): void {
    const suspicions = this.#suspicions.get(uuid);
    this.#suspicions.set(uuid, (suspicions ?? 0) + 1);
    if (suspicions === undefined) void this.#runUntilPassed(uuid, lasting ? this.#recentPasses(uuid) : 0);
  }

  async #runUntilPassed(uuid: string, before: number): Promise<void> {
    const { clock, market, onPassed } = this.#deps;
    let failures = before;
    let waitMs = this.#waitMs(failures);
    while (await this.#wait(uuid, waitMs)) {
      const suspicions = this.#suspicions.get(uuid);
      const failure = await this.#once(uuid, failures);
      if (market.aborted) return;
      const isUnknown = failure?.engineUnavailable === true;
      if (!isUnknown) failures += 1;
      waitMs = isUnknown ? RECHECK_MS : this.#waitMs(failures);
      // The canary says nothing about a fault that was recorded while it ran.
      if (failure !== undefined || this.#suspicions.get(uuid) !== suspicions) continue;
      this.#suspicions.delete(uuid);
      this.#passes.set(uuid, { at: clock.monotonic(), times: this.#recentPasses(uuid) + 1 });
      return onPassed(uuid);
    }
  }

  /** Waits so long, and then until nvidia-smi reports no fault of the GPU and enough free memory; false where no more jobs are claimed. */
  async #wait(uuid: string, ms: number): Promise<boolean> {
    const { cordons, polls, market } = this.#deps;
    if (!(await sleep(ms, market))) return false;
    for (;;) {
      const snapshot = await polls.poll();
      if (market.aborted) return false;
      // A GPU whose memory others use cannot show that it works.
      const isBlocked = (['probe', 'memory'] as const).some(
        (source) => cordons.find(source, uuid) !== undefined,
      );
      if ('gpus' in snapshot && !isBlocked) return true;
      if (!(await sleep(RECHECK_MS, market))) return false;
    }
  }

  /** Runs one canary; answers why it failed. */
  async #once(uuid: string, failures: number): Promise<CanaryFailure | undefined> {
    const { cordons, market, observe, tenants, random } = this.#deps;
    const images = this.#deps.images(uuid);
    const image = images[failures % Math.max(images.length, 1)];
    // Without any image, nvidia-smi's report has to do.
    if (image === undefined) return undefined;
    const name = canaryName(random);
    const gpu = cordons.sliceOf(uuid) ?? uuid;
    this.#running += 1;
    tenants.enter(gpu, name);
    const failure = await runCanary(this.#deps, { name, gpu, image }, market);
    tenants.leave(gpu, name);
    this.#running -= 1;
    if (!market.aborted && failure?.engineUnavailable !== true) {
      const retryInMs = failure === undefined ? undefined : this.#waitMs(failures + 1);
      observe({ kind: 'gpu-canary', gpu: cordons.name(uuid), why: failure?.why, retryInMs });
    }
    return failure;
  }

  /** How many canaries in a row have passed on this GPU, each soon after the last. */
  #recentPasses(uuid: string): number {
    const { at, times } = this.#passes.get(uuid) ?? { at: Number.NEGATIVE_INFINITY, times: 0 };
    return this.#deps.clock.monotonic() - at < RECENT_MS ? times : 0;
  }
}

function canaryWaitMs(failures: number): number {
  return failures === 0 ? 0 : backoffMs(RETRY.canary, failures);
}
