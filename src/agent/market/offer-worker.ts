import type { BrokerJob, JobRecord } from '../../domain/job.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Broker, Clock, Journal } from '../../domain/ports.ts';
import type { FunctionSpec } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import { Wake } from '../../lib/notifier.ts';
import type { Holds } from '../admission/admission.ts';
import type { AgentEvent, Observer } from '../events/events.ts';
import type { GpuHealth } from '../gpu-health/gpu-health.ts';
import type { ImageKeeper } from '../images/image-puller.ts';
import type { RunJob } from '../jobs/job-runner.ts';
import { SlotPool } from '../jobs/slot-pool.ts';
import type { Catalogue } from '../offers/gpu-catalogue.ts';
import type { Offers } from '../offers/instance-registrar.ts';
import { ClaimLoop } from './claim-loop.ts';
import { Claimer } from './claimer.ts';
import { AsideRuns } from './run-backoff.ts';
import { MarketWatch } from './run-poller.ts';
import { RunLookup } from './run-resolver.ts';

/** What the owner has decided and the loops need. Times in milliseconds. */
export type AgentSettings = {
  readonly pollIntervalMs: number;
  readonly jobTimeoutMs: number;
  readonly imagePatterns: readonly string[];
  readonly diskLimitBytes: number;
  /** Below half of it, jobs that run have to go. */
  readonly leastFreeBytes: number;
  /** How long a container may withstand being ended before its job is reported all the same. */
  readonly killPatienceMs: number;
  /** Work off what the market has, then end. */
  readonly once: boolean;
};

export type MarketStandDeps = {
  readonly broker: Broker;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  readonly settings: AgentSettings;
  readonly images: ImageKeeper;
  readonly gpus: Pick<GpuHealth, 'leaves' | 'tries'>;
  readonly offers: Offers;
  readonly runJob: RunJob;
  readonly catalogue: Catalogue;
  readonly holds: Holds;
  readonly onOwed: () => void;
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
export class MarketStand {
  readonly slots: SlotPool;
  readonly aside: AsideRuns;
  readonly market: MarketWatch;
  readonly #deps: MarketStandDeps;
  readonly #loop: ClaimLoop;
  readonly #wake = new Wake();
  #mustSee = 0;
  #offer: Offer;

  constructor(offer: Offer, deps: MarketStandDeps) {
    const { broker, clock, images, journal, log, observe, random, settings, signal } = deps;
    const ring = (): void => this.#wake.ring();
    this.#offer = offer;
    this.#deps = deps;
    this.slots = new SlotPool(offer.slots, ring);
    this.aside = new AsideRuns(clock);
    this.market = new MarketWatch({
      broker,
      clock,
      log,
      random,
      pollIntervalMs: settings.pollIntervalMs,
      hold: !settings.once,
      isFree: () => this.slots.free > 0,
      onLook: ring,
      onAnswer: (again) => {
        deps.onAnswer(again);
        if (again) this.#putUpAgain();
      },
      onRefused: deps.onRefused,
      onDenied: () => this.#putUpAgain(),
    });
    this.#loop = new ClaimLoop({
      offer: () => this.#offer,
      broker,
      journal,
      clock,
      log,
      observe,
      market: this.market,
      lookup: new RunLookup({ broker, clock, log, random, signal, onChange: ring }),
      images,
      imagePatterns: settings.imagePatterns,
      catalogue: deps.catalogue,
      slots: this.slots,
      aside: this.aside,
      claimer: new Claimer({ ...deps, jobTimeoutMs: settings.jobTimeoutMs }),
      wake: this.#wake,
      holds: deps.holds,
      tellImage: (ref) => void deps.offers.tellImage(this.#offer, ref, signal),
      isTold: (job) => deps.runJob.isTold(job),
      execute: (won, fn) => this.#execute(won.record, won.job, fn),
    });
  }

  /** The offer as it stands now. */
  get offer(): Offer {
    return this.#offer;
  }

  /** Decides by this ask from now on, in dollars; jobs that are claimed keep theirs. */
  ask(askPrice: number): void {
    if (askPrice === this.#offer.askPrice) return;
    this.#offer = { ...this.#offer, askPrice };
    this.market.lookNow();
    this.#wake.ring();
  }

  /** Stands for another instance of the broker from now on, which knows of no image yet. */
  moveTo(instance: string): void {
    this.#offer = { ...this.#offer, instance };
    this.#loop.tellImagesAgain();
    this.market.lookAfresh();
  }

  /** Goes on until the signal aborts. */
  async work(): Promise<void> {
    const { images, signal } = this.#deps;
    const silence = images.onChange(() => this.#wake.ring());
    try {
      await Promise.all([this.market.watch(() => this.offer.instance, signal), this.#loop.work(signal)]);
    } finally {
      silence();
    }
  }

  /** Decides anew on the market as it was last seen. */
  wake(): void {
    this.#wake.ring();
  }

  /** What happens to jobs may open a run again: one of its jobs went back, or the broker has taken a report. */
  hear(event: AgentEvent): void {
    if (event.kind === 'job-released') {
      this.aside.openAgain(event.job.run);
      this.#wake.ring();
    } else if (event.kind === 'report-delivered' && event.job.instance === this.#offer.instance) {
      if (this.aside.reportTaken()) this.#wake.ring();
    }
  }

  /** Sees the market afresh, with nothing taken for granted; not `quiet` until that is done. */
  lookAgain(): void {
    this.#mustSee = this.market.looks + 1;
    this.aside.lookAgain();
    this.market.lookNow();
  }

  /** Whether the last look at the market found nothing to do, with nothing under way. */
  get quiet(): boolean {
    if (this.market.looks < this.#mustSee) return false;
    return this.market.runs !== undefined && this.#loop.quietAtLook === this.market.looks;
  }

  #putUpAgain(): void {
    void this.#deps.offers.putUpAgain(this, this.#deps.signal);
  }

  async #execute(record: JobRecord, job: BrokerJob, fn: FunctionSpec): Promise<void> {
    const { clock, gpus, holds, images, journal, runJob } = this.#deps;
    const began = clock.monotonic();
    this.#deps.onLease(job.leaseSeconds);
    gpus.tries(record, fn);
    try {
      await runJob.run(record, job, fn);
    } finally {
      await gpus.leaves(record);
    }
    const end = journal.get(record.uuid)?.state.name;
    if (end !== 'releasing' && end !== 'released') return;
    // Where engine or disk gave way, the run may come again as soon as they are back.
    if (await holds.areToBlame(began)) return;
    // It was this host's fault all the same: perhaps the image went away, perhaps the engine is ill. Not again at once.
    images.forget(fn.registryPath);
    this.aside.hostFault(record.run);
  }
}
