import type { Gpu } from '../../domain/gpu.ts';
import { QUICK_FAILURE_MS } from '../../domain/gpu-breaker.ts';
import { troublesSeen } from '../../domain/gpu-cordon.ts';
import { JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import type { Clock, GpuProbe, KernelLog } from '../../domain/ports.ts';
import type { FunctionSpec } from '../../domain/run.ts';
import { aborted } from '../../lib/aborted.ts';
import { sleep } from '../../lib/sleep.ts';
import type { AgentEvent, Observer } from '../events/events.ts';
import type { OwnFunctionDeps } from '../jobs/internal-job.ts';
import { isCanary } from './canary.ts';
import { CanaryImages } from './canary-images.ts';
import { Trials } from './canary-scheduler.ts';
import { Breaker } from './circuit-breaker.ts';
import { KeptOut } from './cordons.ts';
import { GpuLooks, type Look } from './gpu-poller.ts';
import { Occupancy } from './gpu-tenants.ts';
import { MemoryWatch } from './memory-leak-check.ts';
import { XidWatch } from './xid-monitor.ts';

/** A slot waits at most this long for a look at its GPU's memory. */
const SEEN_MS = 3_000;

/** A job that failed waits at most this long for nvidia-smi's word; one that is well gives it in a second. */
const WORD_MS = 20_000;

/** What the health of the GPUs is judged by. */
export type GpuHealthDeps = OwnFunctionDeps & {
  readonly probe: GpuProbe;
  readonly kernelLog: KernelLog | undefined;
  readonly clock: Clock;
  readonly observe: Observer;
  /** Uuids of the GPUs and slices that are on offer now. */
  readonly offered: () => ReadonlySet<string>;
  /** Told whenever the set of GPUs that must get no new jobs may have changed. */
  readonly keepOut: (gpus: ReadonlySet<string>) => void;
  /** Told after every look which GPUs there are. */
  readonly onGpus: (gpus: readonly Gpu[]) => void;
  /** How long to wait before a canary, after so many in vain; see `Trials`. */
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
  readonly #keptOut: KeptOut;
  readonly #occupancy: Occupancy;
  readonly #looks: GpuLooks;
  readonly #memory: MemoryWatch;
  readonly #xids: XidWatch;
  readonly #trials: Trials;
  readonly #breaker: Breaker;
  readonly #images = new CanaryImages();
  /** Settles once there is a GPU. */
  readonly #known = Promise.withResolvers<void>();
  /** What the kernel's log has said against the GPU of a job while it ran, by job. */
  readonly #hits = new Map<string, string>();
  /** Why the GPUs cannot be seen at all. */
  #blind: string | undefined;

  constructor(deps: GpuHealthDeps) {
    this.#deps = deps;
    const { detach: signal, observe } = deps;
    this.#keptOut = new KeptOut(observe, () => deps.keepOut(this.keptOut));
    this.#occupancy = new Occupancy(() => this.#keptOut.family);
    this.#looks = new GpuLooks({ probe: deps.probe, signal, onBegin: () => this.#begin() });
    const shared = { ...deps, keptOut: this.#keptOut, occupancy: this.#occupancy, looks: this.#looks };
    this.#memory = new MemoryWatch({ ...shared, signal });
    this.#xids = new XidWatch({ ...shared, onFault: (uuid, why) => this.#accuse(uuid, why) });
    this.#trials = new Trials({
      ...shared,
      images: (uuid) => this.#images.for(uuid),
      onPassed: (uuid) => this.#acquit(uuid),
    });
    this.#breaker = new Breaker(this.#keptOut, (uuid) => this.#trials.suspect(uuid, false));
  }

  /** The GPUs and slices that must get no new jobs now. */
  get keptOut(): ReadonlySet<string> {
    return this.#blind === undefined ? this.#keptOut.uuids : this.#deps.offered();
  }

  /** Whether a canary is out now. */
  get busy(): boolean {
    return this.#trials.busy;
  }

  /** Goes on until the daemon ends; new jobs need its looks only while there is a market. */
  async work(): Promise<void> {
    const { detach, market } = this.#deps;
    const follow = async (): Promise<void> => {
      // A host without any GPU has no Xids to wait for.
      await Promise.race([this.#known.promise, aborted(detach)]);
      await this.#xids.work(detach);
    };
    await Promise.all([this.#looks.work(market), follow()]);
  }

  /** The GPUs as they are now, for whoever plans what to offer. Throws as the probe does. */
  async gpus(signal: AbortSignal): Promise<readonly Gpu[]> {
    const remember = this.#memory.begin();
    const gpus = await this.#deps.probe.gpus(signal);
    this.#know(gpus);
    remember(gpus);
    return gpus;
  }

  /** Looks at once: the host has slept. */
  lookNow(): void {
    void this.#looks.fresh();
  }

  /** A job goes to its GPU: canaries may use the same image. */
  tries({ gpu, uuid }: JobRecord, { registryPath, runtime }: FunctionSpec): void {
    if (gpu !== null) this.#images.tried(uuid, { registryPath, runtime });
  }

  /** Settles when the slot of a job that is over may be filled again: once its GPU's memory was looked at. */
  async leaves({ gpu, uuid }: JobRecord): Promise<void> {
    if (gpu === null) return;
    this.#leave(gpu, uuid);
    this.#images.over(uuid);
    const enough = new AbortController();
    await Promise.race([this.#memory.seen(gpu), sleep(SEEN_MS, enough.signal)]);
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
    if (event.kind === 'job-releasing' && !this.#leave(gpu, uuid)) this.#ended(event.job, false, true);
  }

  #ended({ gpu, run, uuid }: JobRecord, well: boolean, failedQuickly: boolean): void {
    if (gpu === null) return;
    if (failedQuickly) this.#looks.soon();
    this.#images.ended(gpu, uuid, well);
    this.#breaker.ended(gpu, { run, failedQuickly });
  }

  /** Why the GPU, and so this host, is to blame for a job that failed; undefined: it is not. */
  async hostFault({ gpu, uuid }: JobRecord): Promise<string | undefined> {
    if (gpu === null) return undefined;
    const known = this.#against(gpu, uuid);
    if (known !== undefined) return known;
    const enough = new AbortController();
    const look = await Promise.race([this.#looks.fresh(), sleep(WORD_MS, enough.signal)]);
    enough.abort();
    if (this.#deps.detach.aborted) return undefined;
    if (typeof look === 'boolean') return 'nvidia-smi gives no answer';
    return 'error' in look ? look.error.message : this.#against(gpu, uuid);
  }

  #against(gpu: string, job: string): string | undefined {
    const trouble = this.#keptOut.trouble('xid', gpu) ?? this.#keptOut.trouble('probe', gpu);
    const why = this.#hits.get(job) ?? trouble?.why;
    return why === undefined ? undefined : `${this.#keptOut.name(gpu).name}: ${why}`;
  }

  /** Answers whether the job was on the GPU. */
  #leave(gpu: string, job: string): boolean {
    this.#hits.delete(job);
    const was = this.#occupancy.leave(gpu, job);
    if (was) this.#memory.left(gpu);
    return was;
  }

  #begin(): (look: Look) => void {
    const remember = this.#memory.begin();
    return (look) => {
      if ('error' in look) return this.#see(look.error);
      this.#see(undefined);
      this.#know(look.gpus);
      const { offered, onGpus } = this.#deps;
      this.#keptOut.replace('probe', troublesSeen(offered(), look.gpus, this.#keptOut.family));
      remember(look.gpus);
      onGpus(look.gpus);
    };
  }

  /** Notes whether the GPUs can be seen; a host that has none on offer misses none. */
  #see(error: { readonly message: string; readonly mend: string | undefined } | undefined): void {
    const { keepOut, observe, offered } = this.#deps;
    const why = error !== undefined && offered().size > 0 ? error.message : undefined;
    if (why === this.#blind) return;
    this.#blind = why;
    observe(why === undefined ? { kind: 'gpus-seen' } : { kind: 'gpus-unseen', why, mend: error?.mend });
    keepOut(this.keptOut);
  }

  #know(gpus: readonly Gpu[]): void {
    if (gpus.length > 0) this.#known.resolve();
    this.#keptOut.know(gpus);
    this.#xids.know(gpus);
  }

  #accuse(uuid: string, why: string): void {
    for (const guest of this.#occupancy.guests(uuid)) if (!isCanary(guest)) this.#hits.set(guest, why);
    this.#looks.soon();
    this.#trials.suspect(uuid, true);
  }

  #acquit(uuid: string): void {
    this.#keptOut.lift('xid', uuid);
    this.#breaker.close(uuid);
  }
}
