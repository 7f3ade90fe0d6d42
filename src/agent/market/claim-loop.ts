import { decide, type SkipReason, type Verdict } from '../../domain/decide.ts';
import { asAgentError } from '../../domain/errors.ts';
import type { BrokerJob } from '../../domain/job.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Broker, Clock, Journal } from '../../domain/ports.ts';
import type { FunctionSpec, OpenRun } from '../../domain/run.ts';
import type { Log } from '../../lib/log.ts';
import type { Wake } from '../../lib/notifier.ts';
import type { Holds } from '../admission/admission.ts';
import type { Observer } from '../events/events.ts';
import { Complaints } from '../events/invalid-item-log.ts';
import type { ImageKeeper } from '../images/image-puller.ts';
import type { SlotPool } from '../jobs/slot-pool.ts';
import type { Catalogue } from '../offers/gpu-catalogue.ts';
import { type Claimer, type ClaimTarget, mayClaim, type Won } from './claimer.ts';
import type { AsideRuns } from './run-backoff.ts';
import type { MarketWatch } from './run-poller.ts';
import type { RunLookup } from './run-resolver.ts';

/** So many runs are looked up ahead of the slots that are there for them. */
const LOOK_AHEAD = 8;

export type ClaimLoopDeps = {
  /** The offer as it stands now. */
  readonly offer: () => Offer;
  readonly broker: Broker;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly log: Log;
  readonly observe: Observer;
  readonly market: MarketWatch;
  readonly lookup: RunLookup;
  readonly images: ImageKeeper;
  readonly imagePatterns: readonly string[];
  readonly catalogue: Pick<Catalogue, 'gpus' | 'fetchAgain'>;
  readonly slots: SlotPool;
  readonly aside: AsideRuns;
  readonly claimer: Claimer;
  readonly wake: Wake;
  readonly holds: Holds;
  /** Tells the broker that an image which its runs want has become ready. */
  readonly tellImage: (registryPath: string) => void;
  /** Whether the story of an earlier claim of the job is not over here. */
  readonly isTold: (job: string) => boolean;
  /** Runs a claimed job to its end; its slot is free when this settles. */
  readonly execute: (won: Won, fn: FunctionSpec) => Promise<void>;
};

/** Fills one offer's slots: decides on what the market shows, readies images, claims, hands jobs on. */
export class ClaimLoop {
  readonly #deps: ClaimLoopDeps;
  readonly #openJobs = new Map<string, BrokerJob[]>();
  readonly #told = new Map<string, SkipReason>();
  readonly #wanted = new Set<string>();
  readonly #toldImages = new Set<string>();
  readonly #running = new Set<Promise<void>>();
  readonly #complaints: Complaints;
  #quietAtLook = -1;

  constructor(deps: ClaimLoopDeps) {
    this.#deps = deps;
    this.#complaints = new Complaints(deps.log, 'job');
  }

  /** The number of the last look at the market after which there was nothing to do at all; -1 before. */
  get quietAtLook(): number {
    return this.#quietAtLook;
  }

  /** The broker knows of none of our images any more. */
  tellImagesAgain(): void {
    for (const ref of this.#toldImages) this.#deps.tellImage(ref);
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
      const look = market.looks;
      const runs = market.runs;
      if (runs === undefined || signal.aborted) return;
      if (holds.why() !== undefined) {
        if (!this.#busy() && !holds.passing) this.#quietAtLook = look;
        return;
      }
      this.#forgetAllBut(new Set(runs.map((run) => run.uuid)));
      const verdicts = this.#decide(runs.map((run) => this.#deps.lookup.open(run)));
      this.#tell(verdicts);
      this.#askForUnknownGpus(verdicts, signal);
      const waiting = this.#readyWhatIsMissing(verdicts);
      const takes = verdicts.filter((verdict) => verdict.kind === 'take');
      if (takes.length === 0) {
        if (!waiting && !this.#busy()) this.#quietAtLook = look;
        return;
      }
      if (!(await holds.carryClaim())) continue;
      // What was taken changes what may be taken next, so the market is looked at again.
      await Promise.all(takes.map((take) => this.#take(take.open, take.jobs, signal)));
    }
  }

  #decide(open: readonly OpenRun[]): readonly Verdict[] {
    const { aside, catalogue, clock, imagePatterns, images, lookup, offer, slots } = this.#deps;
    for (const { run } of open) if (lookup.senseless(run.uuid)) aside.illFormed(run.uuid);
    const knowledge = {
      catalogue: catalogue.gpus,
      images: imagePatterns,
      imageState: (ref: string) => images.state(ref),
      aside: aside.all,
    };
    return decide(open, offer(), slots.free, knowledge, clock.monotonic());
  }

  /** A GPU that a run names and nobody knows may have been added since; asked for beside the claims. */
  #askForUnknownGpus(verdicts: readonly Verdict[], signal: AbortSignal): void {
    const { catalogue, wake } = this.#deps;
    if (!verdicts.some((verdict) => verdict.kind === 'skip' && verdict.reason === 'gpu-unknown')) return;
    void catalogue.fetchAgain(signal).then((heard) => heard && wake.ring());
  }

  /** Starts look-ups and pulls for the best runs; answers whether something is still to come. */
  #readyWhatIsMissing(verdicts: readonly Verdict[]): boolean {
    const { images, lookup, slots } = this.#deps;
    let room = slots.free + LOOK_AHEAD;
    let waiting = false;
    for (const ref of this.#wanted) {
      if (images.state(ref) !== 'here') continue;
      this.#wanted.delete(ref);
      if (!this.#toldImages.has(ref)) this.#deps.tellImage(ref);
      this.#toldImages.add(ref);
    }
    for (const verdict of verdicts) {
      if (verdict.kind !== 'skip') continue;
      if (verdict.reason === 'not-looked-up' && room > 0) {
        if (!lookup.want(verdict.open.run)) continue;
        room -= 1;
        waiting = true;
      } else if (verdict.reason === 'image-not-here' && verdict.open.function !== undefined && room > 0) {
        room -= 1;
        images.want(verdict.open.function.registryPath);
        this.#wanted.add(verdict.open.function.registryPath);
        waiting = true;
      }
    }
    return waiting;
  }

  /** Whether something is under way or will be tried again soon. */
  #busy(): boolean {
    const { aside, images, lookup } = this.#deps;
    return this.#running.size > 0 || images.busy || lookup.busy || aside.busy;
  }

  #nextRetryInMs(): number | undefined {
    const { aside, clock, images, lookup } = this.#deps;
    const next = Math.min(aside.nextRetryAt, images.nextRetryAt, lookup.nextRetryAt);
    return Number.isFinite(next) ? Math.max(next - clock.monotonic(), 10) : undefined;
  }

  /** Claims up to `count` jobs of a run, side by side; does not wait for the answers. */
  async #take(open: OpenRun, count: number, signal: AbortSignal): Promise<void> {
    const { aside, broker, market } = this.#deps;
    const run = open.run.uuid;
    let jobs = this.#openJobs.get(run) ?? [];
    if (jobs.length === 0) {
      try {
        const listed = await broker.openJobs(run, signal);
        this.#complaints.about(listed.invalid);
        jobs = listed.items.filter((job) => this.#mayClaim(job));
        if (jobs.length === 0 && (await broker.run(run, signal)) === undefined) market.forget(run);
      } catch (thrown) {
        const error = asAgentError(thrown);
        if (!signal.aborted)
          this.#deps.log.warn({ run, code: error.code }, `open jobs not seen: ${error.message}`);
        aside.notSeen(run);
        return;
      }
      this.#openJobs.set(run, jobs);
    }
    if (jobs.length === 0) {
      aside.nothingOpen(run);
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
    const story = this.#story(
      { job, run: open.run, fn, image, offer: this.#deps.offer(), slot },
      signal,
    ).finally(() => {
      this.#running.delete(story);
      slots.giveBack(slot.id);
    });
    this.#running.add(story);
  }

  /** A job that we lost may be open again while its container is still being removed, which would take the new one along. */
  #mayClaim(job: BrokerJob): boolean {
    return mayClaim(job, this.#deps.journal.get(job.uuid)) && !this.#deps.isTold(job.uuid);
  }

  /** One job from its claim to its end. Never throws. */
  async #story(what: ClaimTarget, signal: AbortSignal): Promise<void> {
    const { aside, clock, holds } = this.#deps;
    const began = clock.monotonic();
    try {
      const claim = await this.#deps.claimer.claim(what, signal);
      if (claim.kind === 'won') {
        aside.won(what.run.uuid);
        await this.#deps.execute(claim.won, what.fn);
      } else if (claim.kind === 'refused') {
        aside.refused(what.run.uuid);
      } else {
        // Others were faster, or no answer came: the list that the job was on is old.
        if (claim.kind === 'early') aside.reportOwed(what.run.uuid);
        else aside.notSeen(what.run.uuid);
        this.#openJobs.delete(what.run.uuid);
        if (claim.kind === 'unauthorized') this.#deps.market.loseSight();
      }
    } catch (thrown) {
      const error = asAgentError(thrown);
      const passing = await holds.areToBlame(began);
      // What holds claims is told as such, once for all jobs.
      this.#deps.log[passing ? 'debug' : 'error'](
        { job: what.job.uuid, code: error.code },
        `job not carried on: ${error.message}`,
      );
      if (!passing) aside.hostFault(what.run.uuid);
    }
  }

  /** Tells why a run is skipped, once per run and reason; passing reasons are not worth a line. */
  #tell(verdicts: readonly Verdict[]): void {
    for (const verdict of verdicts) {
      if (verdict.kind === 'take') continue;
      const { open, reason } = verdict;
      if (reason === 'no-slot' || reason === 'nothing-open' || reason === 'not-looked-up') continue;
      if (this.#told.get(open.run.uuid) === reason) continue;
      this.#told.set(open.run.uuid, reason);
      this.#deps.observe({ kind: 'run-skipped', offer: this.#deps.offer(), run: open.run, reason });
    }
  }

  #forgetAllBut(runs: ReadonlySet<string>): void {
    for (const uuid of this.#told.keys()) if (!runs.has(uuid)) this.#told.delete(uuid);
    for (const uuid of this.#openJobs.keys()) if (!runs.has(uuid)) this.#openJobs.delete(uuid);
    this.#deps.lookup.keepOnly(runs);
    this.#deps.aside.keepOnly(runs);
  }
}
