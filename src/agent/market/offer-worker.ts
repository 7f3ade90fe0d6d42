import type { BrokerJob, JobRecord } from '../../domain/job.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { FunctionSpec } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { AdmissionControl } from '../admission/admission.ts';
import type { AgentEvent, Observer } from '../events/events.ts';
import type { GpuHealth } from '../gpu-health/gpu-health.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import { SlotPool } from '../jobs/slot-pool.ts';
import type { GpuCatalogue } from '../offers/gpu-catalogue.ts';
import type { InstanceRegistrar } from '../offers/instance-registrar.ts';
import type { AgentSettings } from '../settings.ts';
import { ClaimLoop } from './claim-loop.ts';
import { Claimer } from './claimer.ts';
import { RunBackoff } from './run-backoff.ts';
import { RunPoller } from './run-poller.ts';
import type { RunResolver } from './run-resolver.ts';

export type OfferWorkerDeps = {
  readonly broker: Broker;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  readonly settings: AgentSettings;
  readonly images: ImagePuller;
  readonly resolver: RunResolver;
  readonly gpus: Pick<GpuHealth, 'slotVacated' | 'imageUsed'>;
  readonly offers: InstanceRegistrar;
  readonly jobRunner: JobRunner;
  readonly catalogue: GpuCatalogue;
  readonly holds: AdmissionControl;
  readonly onPending: () => void;
  /** Called after each answer of the broker; `again`: after it had been away. */
  readonly onAnswer: (again: boolean) => void;
  /** Told of the lease that a claim's answer names. */
  readonly onLease: (seconds: number | undefined) => void;
  /** Called after the broker has refused the token. */
  readonly onRefused: () => void;
  readonly signal: AbortSignal;
  /** Aborted when the daemon ends, later than `signal`. */
  readonly detach: AbortSignal;
};

/** All that belongs to one offer while it is on the market: its slots, its watch, its claims. */
export class OfferWorker {
  readonly slots: SlotPool;
  readonly backoff: RunBackoff;
  readonly market: RunPoller;
  readonly #deps: OfferWorkerDeps;
  readonly #loop: ClaimLoop;
  readonly #wake = new Notifier();
  #minPolls = 0;
  #offer: Offer;

  constructor(offer: Offer, deps: OfferWorkerDeps) {
    const { broker, clock, images, journal, log, observe, random, settings, signal } = deps;
    const ring = (): void => this.#wake.notify();
    this.#offer = offer;
    this.#deps = deps;
    this.slots = new SlotPool(offer.slots, ring);
    this.backoff = new RunBackoff(clock);
    this.market = new RunPoller({
      broker,
      clock,
      log,
      random,
      pollIntervalMs: settings.pollIntervalMs,
      hold: !settings.once,
      isFree: () => this.slots.free > 0,
      onPoll: ring,
      onAnswer: (again) => {
        deps.onAnswer(again);
        if (again) this.#registerAgain();
      },
      onRefused: deps.onRefused,
      onDenied: () => this.#registerAgain(),
    });
    this.#loop = new ClaimLoop({
      offer: () => this.#offer,
      broker,
      journal,
      clock,
      log,
      observe,
      market: this.market,
      lookup: deps.resolver,
      images,
      imagePatterns: settings.imagePatterns,
      catalogue: deps.catalogue,
      slots: this.slots,
      backoff: this.backoff,
      claimer: new Claimer({ ...deps, jobTimeoutMs: settings.jobTimeoutMs }),
      wake: this.#wake,
      holds: deps.holds,
      announceImage: (ref) => void deps.offers.announceImage(this.#offer, ref, signal),
      isActive: (job) => deps.jobRunner.isActive(job),
      execute: (won, fn) => this.#execute(won.record, won.job, fn),
    });
  }

  /** The offer as it workers now. */
  get offer(): Offer {
    return this.#offer;
  }

  /** Decides by this ask from now on, in dollars; jobs that are claimed keep theirs. */
  ask(askPrice: number): void {
    if (askPrice === this.#offer.askPrice) return;
    this.#offer = { ...this.#offer, askPrice };
    this.market.pollNow();
    this.#wake.notify();
  }

  /** Stands for another instance of the broker from now on, which knows of no image yet. */
  rebind(instance: string): void {
    this.#offer = { ...this.#offer, instance };
    this.#loop.announceImagesAgain();
    this.market.restartPoll();
  }

  /** Goes on until the signal aborts. */
  async work(): Promise<void> {
    const { images, resolver, signal } = this.#deps;
    const ring = (): void => this.#wake.notify();
    const unsubscribe = [images.onChange(ring), resolver.onChange(ring)];
    try {
      await Promise.all([this.market.watch(() => this.offer.instance, signal), this.#loop.work(signal)]);
    } finally {
      unsubscribe.forEach((stop) => stop());
    }
  }

  /** Decides anew on the market as it was last seen. */
  wake(): void {
    this.#wake.notify();
  }

  /** What happens to jobs may open a run again: one of its jobs went back, or the broker has taken a report. */
  hear(event: AgentEvent): void {
    if (event.kind === 'job-released') {
      this.backoff.jobReleased(event.job.run);
      this.#wake.notify();
    } else if (event.kind === 'report-delivered' && event.job.instance === this.#offer.instance) {
      if (this.backoff.reportAccepted()) this.#wake.notify();
    }
  }

  /** Sees the market afresh, with nothing taken for granted; not `quiet` until that is done. */
  pollAgain(): void {
    this.#minPolls = this.market.polls + 1;
    this.backoff.retryListing();
    this.market.pollNow();
  }

  /** Whether the last look at the market found nothing to do, with nothing under way. */
  get exhausted(): boolean {
    if (this.market.polls < this.#minPolls) return false;
    return this.market.runs !== undefined && this.#loop.quietAtPoll === this.market.polls;
  }

  #registerAgain(): void {
    void this.#deps.offers.registerAgain(this, this.#deps.signal);
  }

  async #execute(record: JobRecord, job: BrokerJob, fn: FunctionSpec): Promise<void> {
    const { clock, gpus, holds, images, journal, jobRunner } = this.#deps;
    const began = clock.monotonic();
    this.#deps.onLease(job.leaseSeconds);
    gpus.imageUsed(record, fn);
    try {
      await jobRunner.run(record, job, fn);
    } finally {
      await gpus.slotVacated(record);
    }
    const end = journal.get(record.uuid)?.state.name;
    if (end !== 'releasing' && end !== 'released') return;
    // Where engine or disk gave way, the run may come again as soon as they are back.
    if (await holds.failedSince(began)) return;
    // It was this host's fault all the same: perhaps the image went away, perhaps the engine is ill. Not again at once.
    images.forget(fn.registryPath);
    this.backoff.hostFault(record.run);
  }
}
