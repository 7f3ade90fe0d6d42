import { AgentError } from '../../domain/errors.ts';
import type { Gpu } from '../../domain/gpu.ts';
import { QUICK_FAILURE_MS } from '../../domain/gpu-breaker.ts';
import { type CordonSource, cordonsFromProbe, type MigParents } from '../../domain/gpu-cordon.ts';
import type { GpuProcess, MinFreeMemory } from '../../domain/gpu-memory.ts';
import { JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { GpuProbe, KernelLog } from '../../domain/ports/gpu.ts';
import type { GpuSampler } from '../../domain/ports/gpu-samples.ts';
import type { HostMemory } from '../../domain/ports/host.ts';
import type { FunctionSpec } from '../../domain/run.ts';
import { aborted, waitAtMost } from '../../lib/deadline.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { Observer } from '../events/events.ts';
import type { GpuFailure, GpuMonitor } from '../jobs/gpu-monitor.ts';
import type { JobResult } from '../jobs/job-result.ts';
import type { SlotPool } from '../jobs/slot-pool.ts';
import type { CanaryDeps } from './canary.ts';
import { isCanary } from './canary.ts';
import { CanaryImages } from './canary-images.ts';
import { CanaryScheduler } from './canary-scheduler.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { GpuCordons } from './cordons.ts';
import { FreeMemoryCheck } from './free-memory-check.ts';
import { GpuNoticeLog } from './gpu-notice-log.ts';
import { GpuPoller, type GpuPollerDeps, type GpuSnapshot } from './gpu-poller.ts';
import { GpuTenants } from './gpu-tenants.ts';
import { GpuTests, type GpuTestsDeps } from './gpu-tests.ts';
import { GpuMemoryLeakCheck } from './memory-leak-check.ts';
import type { RollupRecorder } from './rollup-recorder.ts';
import { Thermals } from './thermals.ts';
import { XidMonitor } from './xid-monitor.ts';

/** A slot waits at most this long for its GPU's memory to be checked. */
const MEMORY_CHECK_MS = 3_000;

/** A failed job waits for at most this many calls of nvidia-smi: the end of a probe under way, and another probe. */
const CALLS = 3;

export type GpuHealthDeps = CanaryDeps &
  Pick<GpuPollerDeps, 'vulnerabilities'> & {
    readonly probe: GpuProbe;
    /** Undefined: the GPUs are not sampled. */
    readonly samples?: GpuSampler | undefined;
    /** Undefined: the use of GPUs is not kept. */
    readonly recorder?: Pick<RollupRecorder, 'record'> | undefined;
    /** Measures the jobs on GPUs. */
    readonly energy?: { started(job: JobRecord): void; over(job: JobRecord): void } | undefined;
    /** Runs a test container with a GPU or slice. Throws why no job could have run so. */
    readonly testGpu: GpuTestsDeps['test'];
    readonly kernelLog: KernelLog | undefined;
    /** The deadline of one call of nvidia-smi, in milliseconds. */
    readonly gpuProbeMs: number;
    readonly minFreeGpuMemory: MinFreeMemory;
    /** The temperature from which a GPU gets no new jobs, in degrees Celsius; Infinity: none. */
    readonly maxGpuTemperature: (gpu: Gpu) => number;
    readonly hostMemory: () => HostMemory | undefined;
    readonly clock: Clock;
    readonly observe: Observer;
    readonly slots: Pick<SlotPool, 'gpus' | 'cordon' | 'limitToOneJob'>;
    /** How long to wait before a canary, after so many failed; see `CanaryScheduler`. */
    readonly waitMs?: (failures: number) => number;
    /** Aborted when no more jobs are claimed. */
    readonly market: AbortSignal;
  };

/**
 * Cordons sick GPUs while they are sick: by nvidia-smi, by the kernel log, by how jobs end on them and by the memory
 * that these leave behind. Running jobs stay.
 */
export class GpuHealth implements GpuMonitor {
  /** Notified with the GPUs of each successful poll. */
  readonly polled = new Notifier<readonly Gpu[]>();
  readonly #deps: GpuHealthDeps;
  readonly #cordons: GpuCordons;
  readonly #tenants: GpuTenants;
  readonly #polls: GpuPoller;
  readonly #memory: GpuMemoryLeakCheck;
  readonly #freeMemory: FreeMemoryCheck;
  readonly #thermals: Thermals;
  readonly #xids: XidMonitor;
  readonly #canaries: CanaryScheduler;
  readonly #breaker: CircuitBreaker;
  readonly #tests: GpuTests;
  readonly #notices: GpuNoticeLog;
  readonly #images = new CanaryImages();
  /** Settles once there is a GPU. */
  readonly #found = Promise.withResolvers<void>();
  /** What the kernel log has said about the GPU of a job while it ran, by job. */
  readonly #faults = new Map<string, string>();
  /** While a job or canary is on a GPU, or one is too hot, all are sampled every second. */
  #watching: Disposable | undefined;
  /** Why no GPU can be probed. */
  #known: readonly Gpu[] | undefined;
  #probeError: string | undefined;
  #probeHint: string | undefined;

  constructor(deps: GpuHealthDeps) {
    this.#deps = deps;
    const { detach: signal, observe } = deps;
    this.#cordons = new GpuCordons(observe, () => {
      this.#cordonSlots();
      this.#watchAsNeeded();
    });
    this.#notices = new GpuNoticeLog(observe, this.#cordons);
    this.#tenants = new GpuTenants(
      () => this.#cordons.parents,
      () => this.#watchAsNeeded(),
    );
    const onSnapshot = (snapshot: GpuSnapshot): void => this.#take(snapshot);
    const allAsleep = (): boolean => deps.samples?.allAsleep ?? false;
    this.#polls = new GpuPoller({ ...deps, tenants: this.#tenants, signal, onSnapshot, allAsleep });
    const shared = { ...deps, cordons: this.#cordons, tenants: this.#tenants, polls: this.#polls };
    this.#memory = new GpuMemoryLeakCheck({ ...shared, signal });
    this.#freeMemory = new FreeMemoryCheck({ ...shared, signal });
    this.#xids = new XidMonitor({
      ...shared,
      onFault: (uuid, why) => this.#recordFault(uuid, why),
      onUnknown: () => this.#polls.reportAnomaly(),
    });
    this.#canaries = new CanaryScheduler({
      ...shared,
      images: (uuid) => this.#images.for(uuid),
      onPassed: (uuid) => this.#clearFault(uuid),
    });
    this.#tests = new GpuTests({ ...shared, test: deps.testGpu });
    this.#thermals = new Thermals(shared);
    deps.samples?.sampled.subscribe((some) => this.#thermals.record(some));
    deps.samples?.sampled.subscribe((some) => deps.recorder?.record(some));
    this.#breaker = new CircuitBreaker(this.#cordons, (uuid) => this.#canaries.suspect(uuid, false));
  }

  /** Whether a canary or a test container runs now. */
  get busy(): boolean {
    return this.#canaries.busy || this.#tests.busy;
  }

  /**
   * Tests GPUs and slices before their first job. Settles once one of them may get jobs; where `mayWait` is false with the
   * reason once none may.
   */
  admit(gpus: readonly string[], mayWait: boolean): Promise<AgentError | undefined> {
    return this.#tests.admit(gpus, mayWait);
  }

  /** Why GPUs get no jobs, and what can be done about it; undefined: none is cordoned. */
  get problem(): { readonly why: string; readonly hint: string | undefined } | undefined {
    if (this.#probeError === undefined) return this.#cordons.problem;
    return { why: `GPU probe failed: ${this.#probeError}`, hint: this.#probeHint };
  }

  /** Whether no job and no canary is on the GPU. */
  isIdle(gpu: string): boolean {
    return this.#tenants.isEmpty(gpu);
  }

  /** Goes on until the daemon ends; polls only while jobs are claimed. */
  async work(): Promise<void> {
    const { detach, market, samples } = this.#deps;
    const follow = async (): Promise<void> => {
      // A host without any GPU has no Xids to wait for.
      await Promise.race([this.#found.promise, aborted(detach)]);
      await this.#xids.work(detach);
    };
    await Promise.all([this.#polls.work(market), follow(), samples?.work(detach)]);
  }

  /** The GPUs as they are now. Throws as the probe does. */
  async gpus(): Promise<readonly Gpu[]> {
    const snapshot = await this.#polls.poll();
    if ('error' in snapshot) throw snapshot.error;
    return snapshot.gpus;
  }

  /** The GPUs as they were last seen; polls only where none was yet. Throws as the probe does. */
  known(): Promise<readonly Gpu[]> {
    return this.#known === undefined ? this.gpus() : Promise.resolve(this.#known);
  }

  /** The GPUs as they were last seen; none before the first poll. */
  get seen(): readonly Gpu[] {
    return this.#known ?? [];
  }

  /** Why the GPU or slice gets no jobs, and what can be done about it; undefined: it is not cordoned. */
  cordonOf(uuid: string): { readonly why: string; readonly hint: string | undefined } | undefined {
    const failed = this.#probeError;
    return failed === undefined
      ? this.#cordons.about(uuid)
      : { why: `GPU probe failed: ${failed}`, hint: this.#probeHint };
  }

  /** What has cordoned the GPU or slice; none: it is not cordoned. */
  cordonSources(uuid: string): readonly CordonSource[] {
    return this.#probeError === undefined ? this.#cordons.sourcesOf(uuid) : ['probe'];
  }

  /** The MiB in use on a GPU when it was last idle; undefined: unknown. */
  idleMemory(uuid: string): number | undefined {
    return this.#memory.baselineOf(uuid);
  }

  /** The processes on a GPU; none where they are not known. */
  processesOn(uuid: string): Promise<readonly GpuProcess[]> {
    return this.#memory.processesOn(uuid);
  }

  /** The GPU of each slice that was seen. */
  get parents(): MigParents {
    return this.#cordons.parents;
  }

  /** Polls at once: the host has slept. */
  pollNow(): void {
    void this.#polls.poll();
  }

  /** Remembers the image for canaries. */
  jobClaimed({ gpu, uuid }: JobRecord, { registryPath, runtime }: FunctionSpec): void {
    if (gpu !== null) this.#images.tried(uuid, { registryPath, runtime });
  }

  jobStarted(job: JobRecord): void {
    const { gpu, uuid } = job;
    if (gpu === null) return;
    this.#deps.energy?.started(job);
    this.#tenants.enter(gpu, uuid);
  }

  jobEnded(job: JobRecord, result: JobResult): void {
    if (job.gpu === null) return;
    if (result.kind !== 'detached') this.#deps.energy?.over(job);
    const wasStarted = result.kind !== 'detached' && this.#leave(job.gpu, job.uuid);
    if (result.kind === 'reported' && wasStarted) {
      const { durationMs, report } = result;
      const isQuickFailure = report.status === JOB_STATUS.FAILED && durationMs < QUICK_FAILURE_MS;
      this.#recordEnd(job, job.gpu, report.status === JOB_STATUS.SUCCEEDED, isQuickFailure);
    }
    if (result.kind === 'released' && result.code === 'GPU_INJECTION_FAILED')
      this.#tests.failed(job.gpu, new AgentError(result.code, result.why));
    // A job that was started was released for a reason of its own; one that was not could not start.
    if (result.kind === 'released' && !wasStarted && result.cause !== 'owner')
      this.#recordEnd(job, job.gpu, false, true);
  }

  /** Settles once the GPU's memory has been checked, or after three seconds without an answer of nvidia-smi. */
  async slotVacated({ gpu, uuid }: JobRecord): Promise<void> {
    if (gpu === null) return;
    this.#leave(gpu, uuid);
    this.#images.over(uuid);
    await waitAtMost(MEMORY_CHECK_MS, this.#memory.checked(gpu));
  }

  /** Why the GPU, and so this host, is to blame for a job that failed; undefined: it is not. */
  async hostFault({ gpu, uuid }: JobRecord, failure?: GpuFailure): Promise<string | undefined> {
    if (gpu === null) return undefined;
    const known = this.#faultOf(gpu, uuid);
    if (known !== undefined) return known;
    const snapshot = await waitAtMost(CALLS * this.#deps.gpuProbeMs, this.#polls.poll());
    if (this.#deps.detach.aborted) return undefined;
    if (snapshot === undefined) return 'nvidia-smi gives no answer';
    if ('error' in snapshot) return snapshot.error.message;
    const fault = this.#faultOf(gpu, uuid);
    if (fault !== undefined) return fault;
    const baseline = failure?.outOfMemory === true ? this.#memory.baselineOf(gpu) : undefined;
    const short = await this.#freeMemory.shortageFor(gpu, uuid, baseline);
    return short === undefined ? undefined : `${this.#cordons.name(gpu).name}: ${short}`;
  }

  #recordEnd({ run, uuid }: JobRecord, gpu: string, succeeded: boolean, failedQuickly: boolean): void {
    if (failedQuickly) this.#polls.reportAnomaly();
    this.#images.ended(gpu, uuid, succeeded);
    this.#breaker.ended(gpu, { run, failedQuickly });
  }

  #faultOf(gpu: string, job: string): string | undefined {
    const cordon = this.#cordons.find('xid', gpu) ?? this.#cordons.find('probe', gpu);
    const why = this.#faults.get(job) ?? cordon?.why;
    return why === undefined ? undefined : `${this.#cordons.name(gpu).name}: ${why}`;
  }

  /** Answers whether the job was on the GPU. */
  #leave(gpu: string, job: string): boolean {
    this.#faults.delete(job);
    const wasThere = this.#tenants.leave(gpu, job);
    if (wasThere) this.#memory.jobLeft(gpu);
    return wasThere;
  }

  #take(snapshot: GpuSnapshot): void {
    if ('error' in snapshot) return this.#setProbeError(snapshot.error);
    this.#setProbeError(undefined);
    const { gpus } = snapshot;
    this.#known = gpus;
    if (gpus.length > 0) this.#found.resolve();
    this.#cordons.learn(gpus);
    this.#thermals.learn(gpus);
    this.#deps.samples?.learn(gpus);
    this.#notices.report(snapshot);
    const faults = cordonsFromProbe(this.#deps.slots.gpus, snapshot, this.#cordons);
    this.#cordons.replace('probe', faults);
    const exclusive = gpus.filter((gpu) => gpu.exclusive === true);
    this.#deps.slots.limitToOneJob(new Set(exclusive.map(({ uuid }) => uuid)));
    this.#memory.record(snapshot);
    this.#freeMemory.record(snapshot, (uuid) => this.#memory.isChecking(uuid));
    this.polled.notify(gpus);
  }

  /** Records whether the GPUs can be probed; a host that offers none misses none. */
  #setProbeError(error: { readonly message: string; readonly hint: string | undefined } | undefined): void {
    const { observe, slots } = this.#deps;
    const why = error !== undefined && slots.gpus.size > 0 ? error.message : undefined;
    if (why === this.#probeError) return;
    this.#probeError = why;
    this.#probeHint = error?.hint;
    if (why === undefined) observe({ kind: 'gpu-probe-recovered' });
    else observe({ kind: 'gpu-probe-failed', why, hint: error?.hint });
    this.#cordonSlots();
  }

  #watchAsNeeded(): void {
    if (this.#tenants.isAnyBusy || this.#thermals.isAnyTooHot) this.#watching ??= this.#deps.samples?.watch();
    else {
      this.#watching?.[Symbol.dispose]();
      this.#watching = undefined;
    }
  }

  #cordonSlots(): void {
    this.#deps.slots.cordon(this.#probeError === undefined ? this.#cordons.uuids : 'all');
  }

  #recordFault(uuid: string, why: string): void {
    for (const tenant of this.#tenants.tenants(uuid)) if (!isCanary(tenant)) this.#faults.set(tenant, why);
    this.#polls.reportAnomaly();
    this.#canaries.suspect(uuid, true);
  }

  #clearFault(uuid: string): void {
    this.#cordons.uncordon('xid', uuid);
    this.#breaker.close(uuid);
  }
}
