import type { JobRecord } from '../domain/job.ts';
import type { Exit } from '../domain/ports/runtime.ts';
import { AdmissionControl, type InstrumentedPorts } from './admission/admission.ts';
import type { AgentDeps } from './deps.ts';
import type { AgentEvent } from './events/events.ts';
import { GpuHealth, type GpuHealthDeps } from './gpu-health/gpu-health.ts';
import type { JobRunner } from './jobs/job-runner.ts';
import { HostOomDetector } from './jobs/oom-detector.ts';
import type { OfferWorker } from './market/offer-worker.ts';
import { GarbageCollector } from './reconcile/garbage-collector.ts';

export type HostCareDeps = AgentDeps &
  Pick<GpuHealthDeps, 'market' | 'onGpus'> & {
    /** What is on the market now. */
    readonly workers: () => readonly Pick<OfferWorker, 'offer' | 'slots'>[];
    /** Who tells the lifecycles of jobs. */
    readonly lifecycles: () => Pick<JobRunner, 'active' | 'isActive'>;
    /** Called when nothing holds claims any more. */
    readonly onLift: () => void;
    /** Aborted when the daemon ends. */
    readonly signal: AbortSignal;
  };

/** Looks after the host that jobs run on: when it is unwell, what it did to a job, what was left on it. */
export class HostCare {
  readonly holds: AdmissionControl;
  /** What to work with, so that it is heard how the host does. */
  readonly ports: InstrumentedPorts;
  readonly gpus: GpuHealth;
  readonly #sweep: GarbageCollector;
  readonly #oom: HostOomDetector;
  readonly #signal: AbortSignal;

  constructor(deps: HostCareDeps) {
    this.holds = new AdmissionControl({
      ...deps,
      busy: () => deps.lifecycles().active.length > 0,
      onEngineBack: () => this.#sweep.soon(),
    });
    this.ports = this.holds.ports;
    this.#sweep = new GarbageCollector({
      ...deps,
      ...this.ports,
      isActive: (job) => deps.lifecycles().isActive(job),
    });
    this.gpus = new GpuHealth({
      ...deps,
      ...this.ports,
      kernelLog: deps.kernelLog,
      offered: () =>
        new Set(deps.workers().flatMap(({ offer }) => offer.slots.flatMap(({ gpu }) => gpu ?? []))),
      cordon: (gpus) => deps.workers().forEach(({ slots }) => slots.cordon(gpus)),
      detach: deps.signal,
    });
    this.#oom = new HostOomDetector(deps.oomKills);
    this.#signal = deps.signal;
  }

  /** Goes on until the daemon ends; begins after recovery. */
  async sweep(): Promise<void> {
    await this.#sweep.work(this.#signal);
  }

  /** Hears of jobs that begin and end. */
  observe(event: AgentEvent): void {
    this.gpus.observe(event);
    if (event.kind === 'job-started' || event.kind === 'job-adopted') this.#oom.jobStarted(event.job.uuid);
    if (event.kind === 'job-ended' || event.kind === 'job-release-queued' || event.kind === 'job-cancelled')
      this.#oom.jobEnded(event.job.uuid);
  }

  /** Why it was this host that made the job fail; undefined: it was not. */
  async fault(job: JobRecord, exit: Pick<Exit, 'code' | 'oomKilled'>): Promise<string | undefined> {
    return this.#oom.fault(job.uuid, exit) ?? (await this.gpus.hostFault(job));
  }
}
