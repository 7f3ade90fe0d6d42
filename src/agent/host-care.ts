import type { JobRecord } from '../domain/job.ts';
import type { Exit } from '../domain/ports.ts';
import { Holds, type WatchedPorts } from './admission/admission.ts';
import type { AgentDeps } from './deps.ts';
import type { AgentEvent } from './events/events.ts';
import { GpuHealth, type GpuHealthDeps } from './gpu-health/gpu-health.ts';
import type { RunJob } from './jobs/job-runner.ts';
import { OomWatch } from './jobs/oom-detector.ts';
import type { MarketStand } from './market/offer-worker.ts';
import { Sweep } from './reconcile/garbage-collector.ts';

export type HostCareDeps = AgentDeps &
  Pick<GpuHealthDeps, 'market' | 'onGpus'> & {
    /** What is on the market now. */
    readonly stands: () => readonly Pick<MarketStand, 'offer' | 'slots'>[];
    /** Who tells the stories of jobs. */
    readonly stories: () => Pick<RunJob, 'active' | 'isTold'>;
    /** Called when nothing holds claims any more. */
    readonly onLift: () => void;
    /** Aborted when the daemon ends. */
    readonly signal: AbortSignal;
  };

/** Looks after the host that jobs run on: when it is unwell, what it did to a job, what was left on it. */
export class HostCare {
  readonly holds: Holds;
  /** What to work with, so that it is heard how the host does. */
  readonly ports: WatchedPorts;
  readonly gpus: GpuHealth;
  readonly #sweep: Sweep;
  readonly #oom: OomWatch;
  readonly #signal: AbortSignal;

  constructor(deps: HostCareDeps) {
    this.holds = new Holds({
      ...deps,
      busy: () => deps.stories().active.length > 0,
      onEngineBack: () => this.#sweep.soon(),
    });
    this.ports = this.holds.ports;
    this.#sweep = new Sweep({ ...deps, ...this.ports, isTold: (job) => deps.stories().isTold(job) });
    this.gpus = new GpuHealth({
      ...deps,
      ...this.ports,
      kernelLog: deps.kernelLog,
      offered: () =>
        new Set(deps.stands().flatMap(({ offer }) => offer.slots.flatMap(({ gpu }) => gpu ?? []))),
      keepOut: (gpus) => deps.stands().forEach(({ slots }) => slots.keepOut(gpus)),
      detach: deps.signal,
    });
    this.#oom = new OomWatch(deps.oomKills);
    this.#signal = deps.signal;
  }

  /** Goes on until the daemon ends; begins after recovery. */
  async sweep(): Promise<void> {
    await this.#sweep.work(this.#signal);
  }

  /** Hears of jobs that begin and end. */
  observe(event: AgentEvent): void {
    this.gpus.observe(event);
    if (event.kind === 'job-started' || event.kind === 'job-adopted') this.#oom.begins(event.job.uuid);
    if (event.kind === 'job-ended' || event.kind === 'job-releasing' || event.kind === 'job-cancelled')
      this.#oom.ends(event.job.uuid);
  }

  /** Why it was this host that made the job fail; undefined: it was not. */
  async fault(job: JobRecord, exit: Pick<Exit, 'code' | 'oomKilled'>): Promise<string | undefined> {
    return this.#oom.fault(job.uuid, exit) ?? (await this.gpus.hostFault(job));
  }
}
