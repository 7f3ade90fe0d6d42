import { decide, type Verdict } from '../../domain/decide.ts';
import { asAgentError } from '../../domain/errors.ts';
import { type BrokerJob, JOB_STATUS } from '../../domain/job.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { OpenRun } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import type { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import type { AdmissionControl } from '../admission/admission.ts';
import type { ClaimPermit, JobOutcome } from '../admission/engine-breaker.ts';
import type { Observer } from '../events/events.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { JobEnd, JobRunner } from '../jobs/job-runner.ts';
import type { OfferSlots, SlotLease } from '../jobs/slot-pool.ts';
import type { GpuCatalogue } from '../offers/gpu-catalogue.ts';
import type { LeaseReconciler } from '../reconcile/lease-reconciler.ts';
import { type Claimer, type ClaimTarget, mayClaim } from './claimer.ts';
import type { RunBackoff } from './run-backoff.ts';
import type { RunPoller } from './run-poller.ts';
import type { RunResolver } from './run-resolver.ts';

/** How many runs are resolved ahead of free slots. */
const RESOLVE_AHEAD = 8;

export type ClaimLoopDeps = {
  /** The offer with its price and instance as they are now. */
  readonly offer: () => Offer;
  readonly broker: Broker;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly observe: Observer;
  readonly poller: RunPoller;
  readonly resolver: RunResolver;
  readonly images: ImagePuller;
  readonly imagePatterns: readonly string[];
  readonly catalogue: Pick<GpuCatalogue, 'gpus' | 'fetchAgain'>;
  readonly slots: OfferSlots;
  readonly backoff: RunBackoff;
  readonly claimer: Claimer;
  readonly wake: Notifier;
  readonly admission: AdmissionControl;
  /** Tells the broker that an image is ready. */
  readonly announceImage: (registryPath: string) => void;
  readonly jobRunner: Pick<JobRunner, 'run' | 'isActive'>;
  readonly leases: Pick<LeaseReconciler, 'lease'>;
};

/** Fills one offer's slots: decides on the runs, has images pulled, claims jobs and hands them to the job runner. */
export class ClaimLoop {
  readonly #deps: ClaimLoopDeps;
  readonly #openJobs = new Map<string, BrokerJob[]>();
  /** As many as the market has: with a bound, a larger market would be logged again at every pass. */
  readonly #reported = new OncePerChange({ maxKeys: Number.POSITIVE_INFINITY });
  readonly #wanted = new Set<string>();
  readonly #announcedImages = new Set<string>();
  /** Claims that wait for the broker's answer. */
  readonly #claims = new Set<Promise<void>>();
  readonly #invalidItems: InvalidItemLog;
  #exhaustedAtPoll = -1;

  constructor(deps: ClaimLoopDeps) {
    this.#deps = deps;
    this.#invalidItems = new InvalidItemLog(deps.log, 'job');
  }

  /** The number of the last poll after which there was nothing to do at all; -1 before. */
  get exhaustedAtPoll(): number {
    return this.#exhaustedAtPoll;
  }

  /** The broker knows none of this host's images any more. */
  announceImagesAgain(): void {
    for (const ref of this.#announcedImages) this.#deps.announceImage(ref);
  }

  /** Goes on until the signal aborts, and then until no claim waits for an answer. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#deps.wake.wait(signal, this.#nextRetryInMs());
      if (signal.aborted) break;
      try {
        await this.#pass(signal);
      } catch (thrown) {
        const { code, message } = asAgentError(thrown);
        if (!signal.aborted)
          this.#deps.log.error({ event: 'claim-pass-failed', code }, `claiming interrupted: ${message}`);
      }
    }
    await Promise.all(this.#claims);
  }

  /** Decides and claims until there is nothing more to take. */
  async #pass(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { admission, poller } = this.#deps;
      const poll = poller.polls;
      const runs = poller.runs;
      if (runs === undefined || signal.aborted) return;
      if (admission.blockedBy() !== undefined) {
        if (!this.#busy() && !admission.recoverable) this.#exhaustedAtPoll = poll;
        return;
      }
      // The first test container runs.
      if (admission.breaker.isOpen) return;
      this.#forgetAllBut(new Set(runs.map((run) => run.uuid)));
      const verdicts = this.#decide(runs.map((run) => this.#deps.resolver.open(run)));
      this.#reportSkips(verdicts);
      this.#askForUnknownGpus(verdicts, signal);
      const waiting = this.#prepareRuns(verdicts);
      const takes = verdicts.filter((verdict) => verdict.kind === 'take');
      if (takes.length === 0) {
        if (!waiting && !this.#busy()) this.#exhaustedAtPoll = poll;
        return;
      }
      if (!(await admission.isHealthy())) continue;
      // What is taken changes what may be taken next, so the loop decides again.
      await Promise.all(takes.map((take) => this.#take(take.open, take.jobs, signal)));
    }
  }

  #decide(open: readonly OpenRun[]): readonly Verdict[] {
    const { admission, backoff, catalogue, clock, imagePatterns, images, offer, resolver, slots } =
      this.#deps;
    for (const { run } of open) if (resolver.invalid(run.uuid)) backoff.invalid(run.uuid);
    const knowledge = {
      catalogue: catalogue.gpus,
      images: imagePatterns,
      imageState: (ref: string) => images.state(ref),
      backoff: backoff.all,
    };
    const free = Math.min(slots.free, admission.breaker.room);
    return decide(open, offer(), free, knowledge, clock.monotonic());
  }

  /** A GPU that a run names may have been added to the catalogue, which is fetched in parallel with the claims. */
  #askForUnknownGpus(verdicts: readonly Verdict[], signal: AbortSignal): void {
    const { catalogue, wake } = this.#deps;
    if (!verdicts.some((verdict) => verdict.kind === 'skip' && verdict.reason === 'gpu-unknown')) return;
    void catalogue.fetchAgain(signal).then((isFetched) => isFetched && wake.notify());
  }

  /** Resolves the best runs and pulls their images; answers whether some of that is under way. */
  #prepareRuns(verdicts: readonly Verdict[]): boolean {
    const { images, resolver, slots } = this.#deps;
    let room = slots.free + RESOLVE_AHEAD;
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
        if (!resolver.resolve(verdict.open.run)) continue;
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

  /** Whether something is under way, or will be tried again soon. */
  #busy(): boolean {
    const { backoff, images, resolver, slots } = this.#deps;
    return slots.busy || images.busy || resolver.busy || backoff.busy;
  }

  #nextRetryInMs(): number | undefined {
    const { backoff, clock, images, resolver } = this.#deps;
    const next = Math.min(backoff.nextRetryAt, images.nextRetryAt, resolver.nextRetryAt);
    return Number.isFinite(next) ? Math.max(next - clock.monotonic(), 10) : undefined;
  }

  /** Claims up to `count` jobs of a run at once; does not wait for the answers. */
  async #take(open: OpenRun, count: number, signal: AbortSignal): Promise<void> {
    const { backoff, broker, poller } = this.#deps;
    const run = open.run.uuid;
    const { releases } = backoff;
    let jobs = this.#openJobs.get(run) ?? [];
    if (jobs.length === 0) {
      try {
        const listed = await broker.openJobs(run, signal);
        this.#invalidItems.log(listed.invalid);
        jobs = listed.items.filter((job) => this.#mayClaim(job));
        // What this host has just released may be claimed again in a moment.
        if (jobs.length === 0 && listed.items.some(({ status }) => status === JOB_STATUS.CREATED)) {
          if (backoff.releases === releases) backoff.notYetClaimable(run);
          return;
        }
        if (jobs.length === 0 && (await broker.run(run, signal)) === undefined) poller.forget(run);
      } catch (thrown) {
        const { code, message } = asAgentError(thrown);
        if (!signal.aborted)
          this.#deps.log.warn({ event: 'open-jobs-failed', run, code }, `open jobs not listed: ${message}`);
        backoff.listFailed(run);
        return;
      }
      this.#openJobs.set(run, jobs);
    }
    if (jobs.length === 0) {
      // What was released meanwhile is not in the list.
      if (backoff.releases === releases) backoff.noOpenJobs(run);
      else this.#openJobs.delete(run);
      return;
    }
    for (const job of jobs.splice(0, count)) this.#claim(job, open, signal);
  }

  #claim(job: BrokerJob, open: OpenRun, signal: AbortSignal): void {
    const { admission, images, slots } = this.#deps;
    const fn = open.function;
    const image = fn === undefined ? undefined : images.get(fn.registryPath);
    if (fn === undefined || image === undefined || !this.#mayClaim(job)) return;
    const lease = slots.take();
    if (lease === undefined) return;
    const permit = admission.breaker.take(open.run.uuid, signal);
    if (permit === undefined) return lease[Symbol.dispose]();
    const target = { job, run: open.run, fn, image, offer: this.#deps.offer(), slot: lease.slot };
    const claim = this.#claimInto(lease, permit, target, signal).finally(() => this.#claims.delete(claim));
    this.#claims.add(claim);
  }

  /** A job that the broker took back may be open again while its old container, of the same name, is being removed. */
  #mayClaim(job: BrokerJob): boolean {
    const { journal, jobRunner } = this.#deps;
    return mayClaim(job, journal.get(job.uuid)) && !jobRunner.isActive(job.uuid);
  }

  /** Claims a job and hands it to the job runner with the lease of its slot. Never throws. */
  async #claimInto(
    lease: SlotLease,
    permit: ClaimPermit,
    target: ClaimTarget,
    signal: AbortSignal,
  ): Promise<void> {
    using untilHandedOver = new DisposableStack();
    untilHandedOver.use(lease);
    untilHandedOver.defer(() => permit.ended({ kind: 'unknown' }));
    const { admission, backoff, claimer, clock, jobRunner, leases, log, poller } = this.#deps;
    const { fn, job, run } = target;
    const began = clock.monotonic();
    try {
      const claim = await claimer.claim(target, signal);
      if (claim.kind === 'won') {
        backoff.claimed(run.uuid);
        leases.lease(claim.won.job.leaseSeconds);
        untilHandedOver.move();
        permit.won();
        const ended = (end: JobEnd): void => this.#ended(target, permit, end);
        jobRunner.run({ ...claim.won, fn }, lease, { started: () => permit.started(), ended });
      } else if (claim.kind === 'refused') {
        backoff.refused(run.uuid);
      } else {
        // Others were faster, or no answer came: the list of open jobs is old.
        if (claim.kind === 'early') backoff.reportPending(run.uuid);
        else backoff.listFailed(run.uuid);
        this.#openJobs.delete(run.uuid);
        if (claim.kind === 'unauthorized') poller.invalidate();
      }
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      // An unhealthy engine or state directory is logged once, not for each claim.
      const isKnown = await admission.failedSince(began);
      const fields = { event: 'claim-aborted', job: job.uuid, code };
      log[isKnown ? 'debug' : 'error'](fields, `claim aborted: ${message}`);
      if (!isKnown) backoff.hostFault(run.uuid);
    }
  }

  /** A run whose job ended through this host is left alone for a while; its image may be gone. */
  #ended({ fn, run }: ClaimTarget, permit: ClaimPermit, end: JobEnd): void {
    permit.ended(outcomeOf(end));
    if (!end.hostFault) return;
    this.#deps.images.forget(fn.registryPath);
    this.#deps.backoff.hostFault(run.uuid);
  }

  /** Reports why a run is skipped, once per run and reason, unless it is transient. */
  #reportSkips(verdicts: readonly Verdict[]): void {
    for (const verdict of verdicts) {
      if (verdict.kind === 'take') continue;
      const { open, reason } = verdict;
      if (reason === 'no-slot' || reason === 'no-open-jobs' || reason === 'unresolved') continue;
      if (!this.#reported.isNew(reason, open.run.uuid)) continue;
      this.#deps.observe({ kind: 'run-skipped', offer: this.#deps.offer(), run: open.run, reason });
    }
  }

  #forgetAllBut(runs: ReadonlySet<string>): void {
    this.#reported.retain((uuid) => runs.has(uuid));
    for (const uuid of this.#openJobs.keys()) if (!runs.has(uuid)) this.#openJobs.delete(uuid);
    this.#deps.resolver.retain(this.#deps.offer().key, runs);
    this.#deps.backoff.retain(runs);
  }
}

/**
 * What a job's end says of the engine: nothing where the job may have chosen it. A report without a duration is of a job
 * that was never started.
 */
function outcomeOf({ hostFault, result }: JobEnd): JobOutcome {
  if (hostFault && result.kind === 'released' && result.cause !== 'other')
    return { kind: 'failed', code: result.code, why: result.why };
  if (hostFault && result.kind === 'aborted')
    return { kind: 'failed', code: undefined, why: 'it was aborted' };
  return { kind: result.kind === 'reported' && result.durationMs > 0 ? 'well' : 'unknown' };
}
