import type { Verdict } from '../../domain/decide.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import { backoffMs } from '../../lib/backoff.ts';
import type { ByteBudget } from '../../lib/byte-budget.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import type { AdmissionControl } from '../admission/admission.ts';
import type { Observer } from '../events/events.ts';
import type { ImageDemands } from '../images/image-demand.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { JobRunner } from '../jobs/job-runner.ts';
import type { OfferSlots, SlotStates } from '../jobs/slot-pool.ts';
import type { GpuCatalogue } from '../offers/gpu-catalogue.ts';
import type { InstanceRegistrar } from '../offers/instance-registrar.ts';
import type { SlotUse } from '../pricing/slot-idleness.ts';
import type { LeaseReconciler } from '../reconcile/lease-reconciler.ts';
import { RETRY } from '../retry/policies.ts';
import type { AgentSettings } from '../settings.ts';
import { ClaimLoop, type ClaimLoopDeps } from './claim-loop.ts';
import { Claimer, type ClaimerDeps } from './claimer.ts';
import type { FunctionCode } from './function-code.ts';
import type { JobWindows } from './job-windows.ts';
import type { PaidChances } from './paid-chances.ts';
import { RunBackoff } from './run-backoff.ts';
import { RunPoller } from './run-poller.ts';
import type { RunResolver } from './run-resolver.ts';
import type { SkipCounts } from './skip-log.ts';

export type OfferWorkerDeps = Omit<ClaimerDeps, 'jobTimeoutMs'> & {
  readonly broker: Broker;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  readonly settings: AgentSettings;
  readonly images: ImagePuller;
  readonly demand: ImageDemands;
  readonly resolver: RunResolver;
  readonly functionCode: FunctionCode;
  readonly registrar: InstanceRegistrar;
  readonly jobRunner: JobRunner;
  readonly catalogue: GpuCatalogue;
  readonly admission: AdmissionControl;
  readonly leases: LeaseReconciler;
  readonly windows: JobWindows;
  readonly chances: PaidChances;
  readonly floor: ClaimLoopDeps['floor'];
  /** The jobs that any offer is about to claim. */
  readonly claiming: Set<string>;
  /** The memory that what any offer claims has until it is on the disk. */
  readonly claimInput: ByteBudget;
  /** Called after each answer of the broker to a poll; `again`: after it had been unreachable. */
  readonly onAnswer: (again: boolean) => void;
  /** Called after the broker has refused the token. */
  readonly onRefused: () => void;
  /** Aborted when no more jobs are claimed. */
  readonly market: AbortSignal;
};

/** Polls runs for one registered offer, and fills its slots. */
export class OfferWorker {
  readonly backoff: RunBackoff;
  readonly poller: RunPoller;
  readonly #deps: OfferWorkerDeps;
  readonly #slots: OfferSlots;
  readonly #loop: ClaimLoop;
  readonly #wake: Notifier;
  /** Why the offer is off the market, by what keeps it off. */
  readonly #suspensions = new Map<string, string>();
  /** Undefined: not known, as after a call that failed and may have had its effect all the same. */
  #isRegistered: boolean | undefined;
  #wasSuspended: boolean;
  #syncing = false;
  /** Notified when a call that failed may go well now, or is no longer wanted. */
  readonly #syncNow = new Notifier();
  #minPolls = 1;
  #offer: Offer;

  /** `wake` is notified when a slot may have become free. */
  constructor(
    { isStarted, offer }: { readonly offer: Offer; readonly isStarted: boolean },
    slots: OfferSlots,
    wake: Notifier,
    deps: OfferWorkerDeps,
  ) {
    const { broker, clock, log, market: signal, observe, random, settings } = deps;
    this.#offer = offer;
    // An agent before this one may have left it on the market.
    this.#isRegistered = isStarted ? true : undefined;
    this.#wasSuspended = !isStarted;
    this.#deps = deps;
    this.#slots = slots;
    this.#wake = wake;
    this.backoff = new RunBackoff(clock);
    this.poller = new RunPoller({
      broker,
      clock,
      log,
      observe,
      random,
      pollIntervalMs: settings.pollIntervalMs,
      hold: !settings.once,
      isFree: () => slots.free > 0,
      onPoll: () => wake.notify(),
      onAnswer: (again) => {
        deps.onAnswer(again);
        if (!again) return;
        this.#syncNow.notify();
        this.registerAgain();
      },
      onRefused: deps.onRefused,
      onInstanceRefused: () => this.registerAgain(),
    });
    this.#loop = new ClaimLoop({
      ...deps,
      offer: () => this.#offer,
      poller: this.poller,
      imagePatterns: settings.imagePatterns,
      slots,
      backoff: this.backoff,
      claimer: new Claimer({ ...deps, jobTimeoutMs: settings.jobTimeoutMs }),
      wake,
      announceImage: (ref) => void deps.registrar.announceImage(this.#offer, ref, signal),
    });
  }

  /** Whether all GPUs of the offer are cordoned. */
  get isCordoned(): boolean {
    return this.#slots.areCordoned;
  }

  /** The slots of the offer that the owner does not keep from jobs. */
  get openSlots(): number {
    return this.#slots.open;
  }

  /** The slots of the offer that have a job. */
  get usedSlots(): number {
    return this.#slots.used;
  }

  /** How many of the offer's slots are in each state. */
  get slotStates(): SlotStates {
    return this.#slots.states;
  }

  /** What each slot does; none is open where this host may claim nothing, the market is not seen or the offer is off it. */
  slotUse(mayClaim: boolean): readonly SlotUse[] {
    const { freeSlots, slots, usedSlots } = this.#slots;
    const isOnMarket = mayClaim && this.poller.runs !== undefined && this.#suspensions.size === 0;
    const open = isOnMarket ? freeSlots : [];
    return slots.map((slot) => {
      const closed = open.includes(slot) ? 'open' : 'closed';
      return { id: slot.id, state: usedSlots.includes(slot) ? 'busy' : closed };
    });
  }

  /** How many runs the last decision skipped, by reason; undefined: the last poll failed. */
  get skips(): SkipCounts | undefined {
    return this.poller.runs === undefined ? undefined : this.#loop.skips;
  }

  /** Why the offer is kept off the market; undefined: it is not. */
  get suspendedWhy(): string | undefined {
    const [why] = this.#suspensions.values();
    return why;
  }

  /** The offer with its price and instance as they are now. */
  get offer(): Offer {
    return this.#offer;
  }

  /** Asks this much from now on, in dollars per job and minute; claimed jobs keep their price. */
  ask(askPrice: number): void {
    if (askPrice === this.#offer.askPrice) return;
    this.#offer = { ...this.#offer, askPrice };
    this.poller.pollNow();
    this.#wake.notify();
  }

  /** The broker knows that the offer takes so many jobs at once. */
  resize(parallelJobs: number): void {
    this.#offer = { ...this.#offer, parallelJobs };
  }

  /** Uses another instance of the broker from now on, which knows no image yet. */
  rebind(instance: string): void {
    this.#offer = { ...this.#offer, instance };
    this.#loop.announceImagesAgain();
    this.poller.restartPoll();
  }

  /** Takes the offer off the market for as long as something with this name keeps it off; jobs go on. */
  suspend(by: string, why: string): void {
    this.#suspensions.set(by, why);
    this.#wasSuspended = true;
    this.#syncNow.notify();
    void this.#sync();
  }

  /** Puts the offer on the market again, unless something else keeps it off. */
  resume(by: string): void {
    if (this.#suspensions.delete(by)) this.#syncNow.notify();
    // Also without a suspension: the offer's registration may have left it stopped for a hold that is over.
    void this.#sync();
  }

  /** Goes on until no more jobs are claimed. */
  async work(): Promise<void> {
    const { images, market, resolver } = this.#deps;
    for (const { changed } of [images, resolver]) changed.subscribe(() => this.#wake.notify());
    await Promise.all([this.poller.work(() => this.offer.instance, market), this.#loop.work(market)]);
  }

  /** What the offer makes of the runs of the last poll; claims nothing. */
  verdicts(): Generator<void, readonly Verdict[]> {
    return this.#loop.verdicts();
  }

  /** Decides again on the runs of the last poll. */
  wake(): void {
    this.#wake.notify();
  }

  /** A job of this host went back to its run. */
  jobReleased(run: string): void {
    this.backoff.jobReleased(run);
    this.#wake.notify();
  }

  /** The broker has accepted a report of this offer's instance, and may give it jobs that it refused before. */
  reportAccepted(): void {
    if (this.backoff.reportAccepted()) this.#wake.notify();
  }

  /** Polls again and lists open jobs again; not `exhausted` until that is done. */
  pollAgain(): void {
    this.#minPolls = this.poller.polls + 1;
    this.backoff.retryListing();
    this.poller.pollNow();
  }

  /** Whether the last poll that was decided on left nothing to do, with nothing under way. */
  get exhausted(): boolean {
    return this.poller.runs !== undefined && this.#loop.exhaustedAtPoll >= this.#minPolls;
  }

  /**
   * Makes sure of what the broker knows: it may have stopped or forgotten the offer, or not have heard of a suspension.
   */
  registerAgain(): void {
    // What is under way for an offer without a suspension ends with its registration.
    if (this.#syncing && this.#suspensions.size === 0) return;
    this.#isRegistered = undefined;
    void this.#sync();
  }

  /** Makes the broker's view follow the suspensions, one call at a time, until one has gone well. */
  async #sync(): Promise<void> {
    if (this.#syncing) return;
    this.#syncing = true;
    const { market, random } = this.#deps;
    for (let failures = 0; !market.aborted && this.#isRegistered !== (this.#suspensions.size === 0); ) {
      const [why] = this.#suspensions.values();
      // Before the call, because what comes meanwhile may put it in doubt again.
      this.#isRegistered = why === undefined;
      if (await this.#setRegistered(why)) {
        failures = 0;
        continue;
      }
      this.#isRegistered = undefined;
      failures += 1;
      await this.#syncNow.wait(market, backoffMs(RETRY.updateOffer, failures, random));
    }
    this.#syncing = false;
  }

  /** Takes the offer off the market, or without a reason puts it there. Answers whether that has gone well. */
  async #setRegistered(why: string | undefined): Promise<boolean> {
    const { market, registrar } = this.#deps;
    if (why !== undefined) return registrar.deregister(this.#offer, why, market);
    if (!(await registrar.registerAgain(this, market))) return false;
    if (this.#wasSuspended) this.poller.restartPoll();
    this.#wasSuspended = false;
    return true;
  }
}
