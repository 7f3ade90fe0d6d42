import { decide, type SkipReason, type Verdict } from '../../domain/decide.ts';
import { asAgentError } from '../../domain/errors.ts';
import type { BrokerJob } from '../../domain/job.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { FunctionSpec, OpenRun } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import type { Notifier } from '../../lib/notifier.ts';
import type { AdmissionControl } from '../admission/admission.ts';
import type { Observer } from '../events/events.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { SlotPool } from '../jobs/slot-pool.ts';
import type { GpuCatalogue } from '../offers/gpu-catalogue.ts';
import { type Claimer, type ClaimTarget, mayClaim, type Won } from './claimer.ts';
import type { RunBackoff } from './run-backoff.ts';
import type { RunPoller } from './run-poller.ts';
import type { RunResolver } from './run-resolver.ts';

/** So many runs are looked up ahead of the slots that are there for them. */
const LOOK_AHEAD = 8;

export type ClaimLoopDeps = {
  /** The offer as it workers now. */
  readonly offer: () => Offer;
  readonly broker: Broker;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly observe: Observer;
  readonly market: RunPoller;
  readonly lookup: RunResolver;
  readonly images: ImagePuller;
  readonly imagePatterns: readonly string[];
  readonly catalogue: Pick<GpuCatalogue, 'gpus' | 'fetchAgain'>;
  readonly slots: SlotPool;
  readonly backoff: RunBackoff;
  readonly claimer: Claimer;
  readonly wake: Notifier;
  readonly holds: AdmissionControl;
  /** Tells the broker that an image which its runs want has become ready. */
  readonly announceImage: (registryPath: string) => void;
  /** Whether the lifecycle of an earlier claim of the job is not over here. */
  readonly isActive: (job: string) => boolean;
  /** Runs a claimed job to its end; its slot is free when this settles. */
  readonly execute: (won: Won, fn: FunctionSpec) => Promise<void>;
};

/** Fills one offer's slots: decides on what the market shows, readies images, claims, hands jobs on. */
export class ClaimLoop {
  readonly #deps: ClaimLoopDeps;
  readonly #openJobs = new Map<string, BrokerJob[]>();
  readonly #reported = new Map<string, SkipReason>();
  readonly #wanted = new Set<string>();
  readonly #announcedImages = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #complaints: InvalidItemLog;
  #quietAtPoll = -1;

  constructor(deps: ClaimLoopDeps) {
    this.#deps = deps;
    this.#complaints = new InvalidItemLog(deps.log, 'job');
  }

  /** The number of the last look at the market after which there was nothing to do at all; -1 before. */
  get quietAtPoll(): number {
    return this.#quietAtPoll;
  }

  /** The broker knows of none of our images any more. */
  announceImagesAgain(): void {
    for (const ref of this.#announcedImages) this.#deps.announceImage(ref);
  }

  /** Goes on until the signal aborts, and then until the jobs that it has handed on have ended. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.wake.wait(signal, this.#nextRetryInMs());
      if (signal.aborted) break;
      try {
        await this.#pass(signal);
      } catch (thrown) {
        const error = asAgentError(thrown);
        if (!signal.aborted)
          this.#deps.log.error({ code: error.code }, `claims stopped for now: ${error.message}`);
      }
    }
    await Promise.allSettled(this.#running);
  }

  /** Decides and claims until there is nothing more to take. */
  async #pass(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { holds, market } = this.#deps;
      const look = market.polls;
      const runs = market.runs;
      if (runs === undefined || signal.aborted) return;
      if (holds.blockedBy() !== undefined) {
        if (!this.#busy() && !holds.recoverable) this.#quietAtPoll = look;
        return;
      }
      this.#forgetAllBut(new Set(runs.map((run) => run.uuid)));
      const verdicts = this.#decide(runs.map((run) => this.#deps.lookup.open(run)));
      this.#reportSkips(verdicts);
      this.#askForUnknownGpus(verdicts, signal);
      const waiting = this.#readyWhatIsMissing(verdicts);
      const takes = verdicts.filter((verdict) => verdict.kind === 'take');
      if (takes.length === 0) {
        if (!waiting && !this.#busy()) this.#quietAtPoll = look;
        return;
      }
      if (!(await holds.isHealthy())) continue;
      // What was taken changes what may be taken next, so the market is looked at again.
      await Promise.all(takes.map((take) => this.#take(take.open, take.jobs, signal)));
    }
  }

  #decide(open: readonly OpenRun[]): readonly Verdict[] {
    const { backoff, catalogue, clock, imagePatterns, images, lookup, offer, slots } = this.#deps;
    for (const { run } of open) if (lookup.invalid(run.uuid)) backoff.invalid(run.uuid);
    const knowledge = {
      catalogue: catalogue.gpus,
      images: imagePatterns,
      imageState: (ref: string) => images.state(ref),
      backoff: backoff.all,
    };
    return decide(open, offer(), slots.free, knowledge, clock.monotonic());
  }

  /** A GPU that a run names and nobody knows may have been added since; asked for beside the claims. */
  #askForUnknownGpus(verdicts: readonly Verdict[], signal: AbortSignal): void {
    const { catalogue, wake } = this.#deps;
    if (!verdicts.some((verdict) => verdict.kind === 'skip' && verdict.reason === 'gpu-unknown')) return;
    void catalogue.fetchAgain(signal).then((heard) => heard && wake.notify());
  }

  /** Starts look-ups and pulls for the best runs; answers whether something is still to come. */
  #readyWhatIsMissing(verdicts: readonly Verdict[]): boolean {
    const { images, lookup, slots } = this.#deps;
    let room = slots.free + LOOK_AHEAD;
    let waiting = false;
    for (const ref of this.#wanted) {
      if (images.state(ref) !== 'ready') continue;
      this.#wanted.delete(ref);
      if (!this.#announcedImages.has(ref)) this.#deps.announceImage(ref);
      this.#announcedImages.add(ref);
    }
    for (const verdict of verdicts) {
      if (verdict.kind !== 'skip') continue;
      if (verdict.reason === 'unresolved' && room > 0) {
        if (!lookup.resolve(verdict.open.run)) continue;
        room -= 1;
        waiting = true;
      } else if (verdict.reason === 'image-not-pulled' && verdict.open.function !== undefined && room > 0) {
        room -= 1;
        images.pull(verdict.open.function.registryPath);
        this.#wanted.add(verdict.open.function.registryPath);
        waiting = true;
      }
    }
    return waiting;
  }

  /** Whether something is under way or will be tried again soon. */
  #busy(): boolean {
    const { backoff, images, lookup } = this.#deps;
    return this.#running.size > 0 || images.busy || lookup.busy || backoff.busy;
  }

  #nextRetryInMs(): number | undefined {
    const { backoff, clock, images, lookup } = this.#deps;
    const next = Math.min(backoff.nextRetryAt, images.nextRetryAt, lookup.nextRetryAt);
    return Number.isFinite(next) ? Math.max(next - clock.monotonic(), 10) : undefined;
  }

  /** Claims up to `count` jobs of a run, side by side; does not wait for the answers. */
  async #take(open: OpenRun, count: number, signal: AbortSignal): Promise<void> {
    const { backoff, broker, market } = this.#deps;
    const run = open.run.uuid;
    let jobs = this.#openJobs.get(run) ?? [];
    if (jobs.length === 0) {
      try {
        const listed = await broker.openJobs(run, signal);
        this.#complaints.log(listed.invalid);
        jobs = listed.items.filter((job) => this.#mayClaim(job));
        if (jobs.length === 0 && (await broker.run(run, signal)) === undefined) market.forget(run);
      } catch (thrown) {
        const error = asAgentError(thrown);
        if (!signal.aborted)
          this.#deps.log.warn({ run, code: error.code }, `open jobs not seen: ${error.message}`);
        backoff.listFailed(run);
        return;
      }
      this.#openJobs.set(run, jobs);
    }
    if (jobs.length === 0) {
      backoff.noOpenJobs(run);
      return;
    }
    for (const job of jobs.splice(0, count)) this.#claim(job, open, signal);
  }

  #claim(job: BrokerJob, open: OpenRun, signal: AbortSignal): void {
    const { images, slots } = this.#deps;
    const fn = open.function;
    const image = fn === undefined ? undefined : images.get(fn.registryPath);
    if (fn === undefined || image === undefined || !this.#mayClaim(job)) return;
    const slot = slots.take();
    if (slot === undefined) return;
    const lifecycle = this.#lifecycle(
      { job, run: open.run, fn, image, offer: this.#deps.offer(), slot },
      signal,
    ).finally(() => {
      this.#running.delete(lifecycle);
      slots.release(slot.id);
    });
    this.#running.add(lifecycle);
  }

  /** A job that we lost may be open again while its container is still being removed, which would take the new one along. */
  #mayClaim(job: BrokerJob): boolean {
    return mayClaim(job, this.#deps.journal.get(job.uuid)) && !this.#deps.isActive(job.uuid);
  }

  /** One job from its claim to its end. Never throws. */
  async #lifecycle(what: ClaimTarget, signal: AbortSignal): Promise<void> {
    const { backoff, clock, holds } = this.#deps;
    const began = clock.monotonic();
    try {
      const claim = await this.#deps.claimer.claim(what, signal);
      if (claim.kind === 'won') {
        backoff.claimed(what.run.uuid);
        await this.#deps.execute(claim.won, what.fn);
      } else if (claim.kind === 'refused') {
        backoff.refused(what.run.uuid);
      } else {
        // Others were faster, or no answer came: the list that the job was on is old.
        if (claim.kind === 'early') backoff.reportPending(what.run.uuid);
        else backoff.listFailed(what.run.uuid);
        this.#openJobs.delete(what.run.uuid);
        if (claim.kind === 'unauthorized') this.#deps.market.invalidate();
      }
    } catch (thrown) {
      const error = asAgentError(thrown);
      const passing = await holds.failedSince(began);
      // What holds claims is told as such, once for all jobs.
      this.#deps.log[passing ? 'debug' : 'error'](
        { job: what.job.uuid, code: error.code },
        `job not carried on: ${error.message}`,
      );
      if (!passing) backoff.hostFault(what.run.uuid);
    }
  }

  /** Tells why a run is skipped, once per run and reason; passing reasons are not worth a line. */
  #reportSkips(verdicts: readonly Verdict[]): void {
    for (const verdict of verdicts) {
      if (verdict.kind === 'take') continue;
      const { open, reason } = verdict;
      if (reason === 'no-slot' || reason === 'no-open-jobs' || reason === 'unresolved') continue;
      if (this.#reported.get(open.run.uuid) === reason) continue;
      this.#reported.set(open.run.uuid, reason);
      this.#deps.observe({ kind: 'run-skipped', offer: this.#deps.offer(), run: open.run, reason });
    }
  }

  #forgetAllBut(runs: ReadonlySet<string>): void {
    for (const uuid of this.#reported.keys()) if (!runs.has(uuid)) this.#reported.delete(uuid);
    for (const uuid of this.#openJobs.keys()) if (!runs.has(uuid)) this.#openJobs.delete(uuid);
    this.#deps.lookup.retain(this.#deps.offer().key, runs);
    this.#deps.backoff.retain(runs);
  }
}
