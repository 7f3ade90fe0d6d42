import { decide, decideInSteps, type Verdict } from '../../domain/decide.ts';
import { asAgentError } from '../../domain/errors.ts';
import { type BrokerJob, JOB_STATUS } from '../../domain/job.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { OpenRun, Run } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import type { Notifier } from '../../lib/notifier.ts';
import { forEachInSlices, inSlices, type Steps } from '../../lib/slices.ts';
import type { AdmissionControl } from '../admission/admission.ts';
import type { ClaimPermit } from '../admission/engine-breaker.ts';
import type { Observer } from '../events/events.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import type { ImageDemands } from '../images/image-demand.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { JobEnd, JobRunner } from '../jobs/job-runner.ts';
import type { OfferSlots, SlotLease } from '../jobs/slot-pool.ts';
import type { GpuCatalogue } from '../offers/gpu-catalogue.ts';
import type { LeaseReconciler } from '../reconcile/lease-reconciler.ts';
import { type ClaimInputDeps, takeInput } from './claim-input.ts';
import { outcomeOf } from './claim-outcome.ts';
import {
  type Claimer,
  type ClaimerDeps,
  type ClaimTarget,
  firstClaimable,
  isDecided,
  mayClaim,
} from './claimer.ts';
import { bytesOf, type OpenJob, readArguments } from './job-arguments.ts';
import type { JobWindows } from './job-windows.ts';
import { type KnowledgeSources, knowledgeOf } from './market-knowledge.ts';
import type { PaidChances } from './paid-chances.ts';
import type { RunBackoff } from './run-backoff.ts';
import type { RunPoller } from './run-poller.ts';
import { RunPreparation, type RunPreparationDeps } from './run-preparation.ts';
import type { RunResolver } from './run-resolver.ts';
import { type SkipCounts, SkipLog } from './skip-log.ts';

export type ClaimLoopDeps = Pick<ClaimInputDeps, 'functionCode' | 'claimInput'> &
  Pick<ClaimerDeps, 'holdOf'> &
  Pick<RunPreparationDeps, 'announceImage'> & {
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
    readonly demand: ImageDemands;
    readonly imagePatterns: readonly string[];
    readonly catalogue: Pick<GpuCatalogue, 'gpus' | 'fetchAgain'>;
    readonly slots: OfferSlots;
    readonly windows: JobWindows;
    readonly chances: PaidChances;
    readonly floor: KnowledgeSources['floor'];
    readonly backoff: RunBackoff;
    readonly claimer: Claimer;
    /** The jobs that this or another offer is about to claim. */
    readonly claiming: Set<string>;
    readonly wake: Notifier;
    readonly admission: AdmissionControl;
    readonly jobRunner: Pick<JobRunner, 'run' | 'isActive'>;
    readonly leases: Pick<LeaseReconciler, 'lease'>;
  };

/** Fills one offer's slots: decides on the runs, has images pulled, claims jobs and hands them to the job runner. */
export class ClaimLoop {
  readonly #deps: ClaimLoopDeps;
  readonly #openJobs = new Map<string, OpenJob[]>();
  readonly #skipLog: SkipLog;
  readonly #preparation: RunPreparation;
  /** Claims that wait for the broker's answer. */
  readonly #claims = new Set<Promise<void>>();
  readonly #invalidItems: InvalidItemLog;
  /** The list whose runs are remembered. */
  #known: readonly Run[] | undefined;
  #exhaustedAtPoll = -1;

  constructor(deps: ClaimLoopDeps) {
    this.#deps = deps;
    this.#invalidItems = new InvalidItemLog(deps.log, 'job');
    this.#skipLog = new SkipLog(deps);
    this.#preparation = new RunPreparation(deps);
  }

  /** The number of the last poll after which there was nothing to do at all; -1: there is something to do. */
  get exhaustedAtPoll(): number {
    return this.#exhaustedAtPoll;
  }

  /** How many runs the last decision skipped, by reason. */
  get skips(): SkipCounts {
    return this.#skipLog.counts;
  }

  /** The broker knows none of this host's images any more. */
  announceImagesAgain(): void {
    this.#preparation.announceAgain();
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

  /** What the offer makes of runs, those of the last poll by default; claims nothing. */
  *verdicts(runs = this.#deps.poller.runs ?? []): Generator<void, readonly Verdict[]> {
    const { backoff, clock, offer, resolver } = this.#deps;
    const open: OpenRun[] = [];
    for (const run of runs) {
      if (resolver.invalid(run.uuid)) backoff.invalid(run.uuid);
      open.push(resolver.open(run));
      yield;
    }
    return yield* decideInSteps(open, offer(), this.#free, knowledgeOf(this.#deps), clock.monotonic());
  }

  /** Decides and claims until there is nothing more to take. */
  async #pass(signal: AbortSignal): Promise<void> {
    for (;;) {
      const { admission, poller } = this.#deps;
      const { polls: poll, runs } = poller;
      if (runs === undefined || signal.aborted) return;
      if (admission.blockedBy() !== undefined) {
        this.#exhaustedAtPoll = this.#busy() || admission.recoverable ? -1 : poll;
        return;
      }
      // The first test container runs.
      if (admission.breaker.isOpen) return;
      await this.#forgetAllBut(runs);
      const { isGpuUnknown, takes, waiting } = await inSlices(this.#plan(runs));
      this.#skipLog.decided();
      if (isGpuUnknown) this.#askForUnknownGpus(signal);
      if (takes.length === 0) {
        this.#exhaustedAtPoll = waiting || this.#busy() ? -1 : poll;
        return;
      }
      this.#exhaustedAtPoll = -1;
      if (!(await admission.isHealthy()) || poller.runs === undefined) continue;
      // What is taken changes what may be taken next, so the loop decides again.
      await Promise.all(this.#stillTaken(takes).map((take) => this.#take(take.open, take.jobs, signal)));
    }
  }

  /** Decides on all runs, reports what is skipped, and resolves and pulls what is missing. */
  *#plan(runs: readonly Run[]): Steps<Plan> {
    const verdicts = yield* this.verdicts(runs);
    const takes: Take[] = [];
    const preparation = this.#preparation.begin();
    let isGpuUnknown = false;
    for (const verdict of verdicts) {
      this.#deps.demand.decided(verdict);
      if (verdict.kind === 'take') takes.push(verdict);
      else {
        this.#skipLog.skipped(verdict.open.run, verdict.reason);
        isGpuUnknown ||= verdict.reason === 'gpu-unknown';
        preparation.skipped(verdict.open, verdict.reason);
      }
      yield;
    }
    preparation.end();
    return { takes, isGpuUnknown, waiting: preparation.isWaiting };
  }

  /** What is still to be taken of an earlier decision: prices, slots and backoffs may have changed meanwhile. */
  #stillTaken(takes: readonly Take[]): readonly Take[] {
    const open = takes.map((take) => take.open);
    const again = decide(
      open,
      this.#deps.offer(),
      this.#free,
      knowledgeOf(this.#deps),
      this.#deps.clock.monotonic(),
    );
    return again.filter((verdict) => verdict.kind === 'take');
  }

  get #free(): number {
    return Math.min(this.#deps.slots.free, this.#deps.admission.breaker.room);
  }

  /** A GPU that a run names may have been added to the catalogue, which is fetched in parallel with the claims. */
  #askForUnknownGpus(signal: AbortSignal): void {
    const { catalogue, wake } = this.#deps;
    void catalogue.fetchAgain(signal).then((isFetched) => isFetched && wake.notify());
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
        this.#invalidItems.log(listed);
        const { readable, unreadable } = await inSlices(
          readArguments(listed.items, open.function?.runtime ?? ''),
        );
        this.#invalidItems.log({ invalid: unreadable });
        // Other jobs of the run may be readable, and open again later.
        const isAll = readable.length === 0 && (listed.isCut || unreadable.length >= open.run.numJobs);
        if (isAll && unreadable.length > 0) return backoff.invalid(run);
        jobs = await inSlices(firstClaimable(readable, (job) => this.#mayClaim(job)));
        // What this host has just released may be claimed again in a moment.
        if (jobs.length === 0 && readable.some(({ status }) => status === JOB_STATUS.CREATED)) {
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

  #claim(job: OpenJob, open: OpenRun, signal: AbortSignal): void {
    const { admission, claiming, images, slots, windows } = this.#deps;
    const fn = open.function;
    const image = fn === undefined ? undefined : images.get(fn.registryPath);
    if (fn === undefined || image === undefined || !this.#mayClaim(job)) return;
    const lease = windows.take(slots, open.run);
    if (lease === undefined) return;
    const permit = admission.breaker.take(open.run.uuid, signal);
    if (permit === undefined) return lease[Symbol.dispose]();
    const target = { job, run: open.run, fn, image, offer: this.#deps.offer(), slot: lease.slot };
    claiming.add(job.uuid);
    const claim = this.#claimInto(lease, permit, target, signal).finally(() => {
      claiming.delete(job.uuid);
      this.#claims.delete(claim);
    });
    this.#claims.add(claim);
  }

  #mayClaim(job: BrokerJob): boolean {
    return !this.#deps.claiming.has(job.uuid) && this.#isFree(job);
  }

  /** A job that the broker took back may be open again while its old container, of the same name, is being removed. */
  #isFree(job: BrokerJob): boolean {
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
    // In the tick in which the image was found ready; or it may be removed before the journal knows of the claim.
    const image = untilHandedOver.use(this.#deps.images.hold(target.image));
    untilHandedOver.defer(() => permit.ended({ kind: 'unknown' }));
    const { admission, backoff, claimer, clock, holdOf, jobRunner, leases, log, poller } = this.#deps;
    const { fn, job, run } = target;
    const began = clock.monotonic();
    try {
      const input = await takeInput(this.#deps, target, signal);
      if (input === undefined) return;
      untilHandedOver.use(input.share);
      if (!this.#isFree(job) || holdOf(target.slot) !== undefined) return;
      const claim = await claimer.claim(target, signal);
      if (isDecided(claim)) this.#deps.demand.tried(fn.registryPath, claim.kind === 'won');
      if (claim.kind === 'won') {
        backoff.claimed(run.uuid);
        leases.lease(claim.won.job.leaseSeconds);
        untilHandedOver.move();
        permit.won();
        const ended = (end: JobEnd): void => {
          image[Symbol.dispose]();
          this.#ended(target, permit, end);
        };
        const { code, share } = input;
        const { arguments: args } = claim.won.job;
        share.resize(code.length + bytesOf(args));
        const laidOut = (): void => share[Symbol.dispose]();
        const watch = { laidOut, started: () => permit.started(), ended };
        jobRunner.run({ record: claim.won.record, input: { fn, code, args } }, lease, watch);
      } else if (claim.kind === 'refused') {
        backoff.refused(run.uuid);
      } else {
        // Others were faster, or no answer came: the list of open jobs is old.
        if (claim.kind === 'early') backoff.reportPending(run.uuid);
        else if (claim.kind !== 'held') backoff.listFailed(run.uuid);
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
    this.#deps.windows.ended(run);
    if (!end.hostFault) return;
    this.#deps.images.forget(fn.registryPath);
    this.#deps.backoff.hostFault(run.uuid);
  }

  /** Forgets what is remembered of runs that are not on this list, unless that was done for it. */
  async #forgetAllBut(runs: readonly Run[]): Promise<void> {
    if (runs === this.#known) return;
    const uuids = new Set<string>();
    await forEachInSlices(runs, ({ uuid }) => void uuids.add(uuid));
    await inSlices(this.#skipLog.retain(uuids));
    for (const uuid of this.#openJobs.keys()) if (!uuids.has(uuid)) this.#openJobs.delete(uuid);
    this.#deps.resolver.retain(this.#deps.offer().key, uuids);
    this.#deps.backoff.retain(uuids);
    this.#known = runs;
  }
}

type Take = Extract<Verdict, { kind: 'take' }>;

type Plan = {
  readonly takes: readonly Take[];
  readonly isGpuUnknown: boolean;
  /** A run is being resolved or its image pulled. */
  readonly waiting: boolean;
};
