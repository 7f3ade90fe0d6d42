import type { Gpu } from '../../domain/gpu.ts';
import { QUICK_FAILURE_MS } from '../../domain/gpu-breaker.ts';
import { cordonsFromProbe } from '../../domain/gpu-cordon.ts';
import { JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { GpuProbe, KernelLog } from '../../domain/ports/gpu.ts';
import type { FunctionSpec } from '../../domain/run.ts';
import { aborted } from '../../lib/deadline.ts';
import { sleep } from '../../lib/sleep.ts';
import type { AgentEvent, Observer } from '../events/events.ts';
import type { InternalJobDeps } from '../jobs/internal-job.ts';
import { isCanary } from './canary.ts';
import { CanaryImages } from './canary-images.ts';
import { CanaryScheduler } from './canary-scheduler.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { GpuCordons } from './cordons.ts';
import { GpuPoller, type GpuSnapshot } from './gpu-poller.ts';
import { GpuTenants } from './gpu-tenants.ts';
import { GpuMemoryLeakCheck } from './memory-leak-check.ts';
import { XidMonitor } from './xid-monitor.ts';

/** A slot waits at most this long for a look at its GPU's memory. */
const SEEN_MS = 3_000;

/** A job that failed waits at most this long for nvidia-smi's word; one that is well gives it in a second. */
const WORD_MS = 20_000;

/** What the health of the GPUs is judged by. */
export type GpuHealthDeps = InternalJobDeps & {
  readonly probe: GpuProbe;
  readonly kernelLog: KernelLog | undefined;
  readonly clock: Clock;
  readonly observe: Observer;
  /** Uuids of the GPUs and slices that are on offer now. */
  readonly offered: () => ReadonlySet<string>;
  /** Told whenever the set of GPUs that must get no new jobs may have changed. */
  readonly cordon: (gpus: ReadonlySet<string>) => void;
  /** Told after every look which GPUs there are. */
  readonly onGpus: (gpus: readonly Gpu[]) => void;
  /** How long to wait before a canary, after so many in vain; see `CanaryScheduler`. */
  readonly waitMs?: (failures: number) => number;
  /** Aborted when no more jobs are taken. */
  readonly market: AbortSignal;
};

/**
 * Keeps jobs off GPUs that are not well, for as long as they are not: by what nvidia-smi shows, by what the kernel's
 * log says, by how jobs end on them and by what these leave behind. What runs is left alone.
 */
export class GpuHealth implements GpuProbe {
  readonly #deps: GpuHealthDeps;
  readonly #cordons: GpuCordons;
  readonly #occupancy: GpuTenants;
  readonly #polls: GpuPoller;
  readonly #memory: GpuMemoryLeakCheck;
  readonly #xids: XidMonitor;
  readonly #trials: CanaryScheduler;
  readonly #breaker: CircuitBreaker;
  readonly #images = new CanaryImages();
  /** Settles once there is a GPU. */
  readonly #known = Promise.withResolvers<void>();
  /** What the kernel's log has said against the GPU of a job while it ran, by job. */
  readonly #faults = new Map<string, string>();
  /** Why the GPUs cannot be seen at all. */
  #probeError: string | undefined;

  constructor(deps: GpuHealthDeps) {
    this.#deps = deps;
    const { detach: signal, observe } = deps;
    this.#cordons = new GpuCordons(observe, () => deps.cordon(this.cordons));
    this.#occupancy = new GpuTenants(() => this.#cordons.parents);
    this.#polls = new GpuPoller({ probe: deps.probe, signal, onBegin: () => this.#begin() });
    const shared = { ...deps, cordons: this.#cordons, occupancy: this.#occupancy, polls: this.#polls };
    this.#memory = new GpuMemoryLeakCheck({ ...shared, signal });
    this.#xids = new XidMonitor({ ...shared, onFault: (uuid, why) => this.#recordFault(uuid, why) });
    this.#trials = new CanaryScheduler({
      ...shared,
      images: (uuid) => this.#images.for(uuid),
      onPassed: (uuid) => this.#clearFault(uuid),
    });
    this.#breaker = new CircuitBreaker(this.#cordons, (uuid) => this.#trials.suspect(uuid, false));
  }

  /** The GPUs and slices that must get no new jobs now. */
  get cordons(): ReadonlySet<string> {
    return this.#probeError === undefined ? this.#cordons.uuids : this.#deps.offered();
  }

  /** Whether a canary is out now. */
  get busy(): boolean {
    return this.#trials.busy;
  }

  /** Goes on until the daemon ends; new jobs need its polls only while there is a market. */
  async work(): Promise<void> {
    const { detach, market } = this.#deps;
    const follow = async (): Promise<void> => {
      // A host without any GPU has no Xids to wait for.
      await Promise.race([this.#known.promise, aborted(detach)]);
      await this.#xids.work(detach);
    };
    await Promise.all([this.#polls.work(market), follow()]);
  }

  /** The GPUs as they are now, for whoever plans what to offer. Throws as the probe does. */
  async gpus(signal: AbortSignal): Promise<readonly Gpu[]> {
    const remember = this.#memory.begin();
    const gpus = await this.#deps.probe.gpus(signal);
    this.#learn(gpus);
    remember(gpus);
    return gpus;
  }

  /** Looks at once: the host has slept. */
  pollNow(): void {
    void this.#polls.poll();
  }

  /** A job goes to its GPU: canaries may use the same image. */
  imageUsed({ gpu, uuid }: JobRecord, { registryPath, runtime }: FunctionSpec): void {
    if (gpu !== null) this.#images.tried(uuid, { registryPath, runtime });
  }

  /** Settles when the slot of a job that is over may be filled again: once its GPU's memory was looked at. */
  async slotVacated({ gpu, uuid }: JobRecord): Promise<void> {
    if (gpu === null) return;
    this.#leave(gpu, uuid);
    this.#images.over(uuid);
    const enough = new AbortController();
    await Promise.race([this.#memory.checked(gpu), sleep(SEEN_MS, enough.signal)]);
    enough.abort();
  }

  /** Takes what happens to jobs. */
  observe(event: AgentEvent): void {
    if (!('job' in event) || typeof event.job === 'string' || event.job.gpu === null) return;
    const { gpu, uuid } = event.job;
    if (event.kind === 'job-started' || event.kind === 'job-adopted') this.#occupancy.enter(gpu, uuid);
    if (event.kind === 'job-ended' && this.#leave(gpu, uuid)) {
      const { durationMs, report } = event;
      const failed = report.status === JOB_STATUS.FAILED;
      const well = report.status === JOB_STATUS.SUCCEEDED;
      this.#ended(event.job, well, failed && durationMs < QUICK_FAILURE_MS);
    }
    if (event.kind === 'job-cancelled') this.#leave(gpu, uuid);
    // One that was here went back for a reason of its own; one that never was could not be started.
    if (event.kind === 'job-release-queued' && !this.#leave(gpu, uuid)) this.#ended(event.job, false, true);
  }

  #ended({ gpu, run, uuid }: JobRecord, well: boolean, failedQuickly: boolean): void {
    if (gpu === null) return;
    if (failedQuickly) this.#polls.reportAnomaly();
    this.#images.ended(gpu, uuid, well);
    this.#breaker.ended(gpu, { run, failedQuickly });
  }

  /** Why the GPU, and so this host, is to blame for a job that failed; undefined: it is not. */
  async hostFault({ gpu, uuid }: JobRecord): Promise<string | undefined> {
    if (gpu === null) return undefined;
    const known = this.#faultOf(gpu, uuid);
    if (known !== undefined) return known;
    const enough = new AbortController();
    const look = await Promise.race([this.#polls.poll(), sleep(WORD_MS, enough.signal)]);
    enough.abort();
    if (this.#deps.detach.aborted) return undefined;
    if (typeof look === 'boolean') return 'nvidia-smi gives no answer';
    return 'error' in look ? look.error.message : this.#faultOf(gpu, uuid);
  }

  #faultOf(gpu: string, job: string): string | undefined {
    const trouble = this.#cordons.find('xid', gpu) ?? this.#cordons.find('probe', gpu);
    const why = this.#faults.get(job) ?? trouble?.why;
    return why === undefined ? undefined : `${this.#cordons.name(gpu).name}: ${why}`;
  }

  /** Answers whether the job was on the GPU. */
  #leave(gpu: string, job: string): boolean {
    this.#faults.delete(job);
    const was = this.#occupancy.leave(gpu, job);
    if (was) this.#memory.left(gpu);
    return was;
  }

  #begin(): (look: GpuSnapshot) => void {
    const remember = this.#memory.begin();
    return (look) => {
      if ('error' in look) return this.#setProbeError(look.error);
      this.#setProbeError(undefined);
      this.#learn(look.gpus);
      const { offered, onGpus } = this.#deps;
      this.#cordons.replace('probe', cordonsFromProbe(offered(), look.gpus, this.#cordons.parents));
      remember(look.gpus);
      onGpus(look.gpus);
    };
  }

  /** Notes whether the GPUs can be seen; a host that has none on offer misses none. */
  #setProbeError(error: { readonly message: string; readonly hint: string | undefined } | undefined): void {
    const { cordon, observe, offered } = this.#deps;
    const why = error !== undefined && offered().size > 0 ? error.message : undefined;
    if (why === this.#probeError) return;
    this.#probeError = why;
    observe(
      why === undefined
        ? { kind: 'gpu-probe-recovered' }
        : { kind: 'gpu-probe-failed', why, hint: error?.hint },
    );
    cordon(this.cordons);
  }

  #learn(gpus: readonly Gpu[]): void {
    if (gpus.length > 0) this.#known.resolve();
    this.#cordons.learn(gpus);
    this.#xids.learn(gpus);
  }

  #recordFault(uuid: string, why: string): void {
    for (const guest of this.#occupancy.tenants(uuid)) if (!isCanary(guest)) this.#faults.set(guest, why);
    this.#polls.reportAnomaly();
    this.#trials.suspect(uuid, true);
  }

  #clearFault(uuid: string): void {
    this.#cordons.uncordon('xid', uuid);
    this.#breaker.close(uuid);
  }
}
