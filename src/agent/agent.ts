import { AgentError, asAgentError } from '../domain/errors.ts';
import { SLOT_STATES } from '../domain/job.ts';
import type { OfferPlan } from '../domain/offer.ts';
import type { HostClock } from '../domain/ports/clock.ts';
import type { Journal } from '../domain/ports/journal.ts';
import type { Schedule } from '../domain/schedule/availability.ts';
import { aborted, waitAtMost, within } from '../lib/deadline.ts';
import type { Log } from '../lib/log.ts';
import type { Notifier } from '../lib/notifier.ts';
import type { Steps } from '../lib/slices.ts';
import type { AdmissionControl, Problem } from './admission/admission.ts';
import type { Calendar } from './calendar/calendar.ts';
import type { Observer } from './events/events.ts';
import type { GpuHealth } from './gpu-health/gpu-health.ts';
import type { OwnerControl } from './holds/owner-control.ts';
import type { ImageDemands } from './images/image-demand.ts';
import type { ImageKeeping } from './images/image-keeping.ts';
import type { JobRunner } from './jobs/job-runner.ts';
import type { LiveOutputs } from './jobs/live-outputs.ts';
import type { SlotPool } from './jobs/slot-pool.ts';
import type { BackgroundTasks } from './lifecycle/background-tasks.ts';
import { untilExhausted } from './lifecycle/once.ts';
import { untilIdle } from './lifecycle/shutdown.ts';
import { detectSuspends, sampleClocks } from './lifecycle/suspend-detector.ts';
import type { CordonedOffers } from './market/cordoned-offers.ts';
import type { Market } from './market/market.ts';
import { type MarketView, viewMarket } from './market/market-view.ts';
import type { MarketRecorder } from './market-history/market-recorder.ts';
import type { GpuCatalogue } from './offers/gpu-catalogue.ts';
import type { OfferPlanner } from './offers/offer-planner.ts';
import type { Overview } from './owner/overview.ts';
import type { OwnerCommands } from './owner/owner-commands.ts';
import type { DeskReports } from './presence/desk-reports.ts';
import type { OwnerPresence } from './presence/owner-presence.ts';
import type { CostTerms } from './pricing/cost-terms.ts';
import type { Pricer } from './pricing/pricer.ts';
import type { GarbageCollector } from './reconcile/garbage-collector.ts';
import type { LeaseReconciler } from './reconcile/lease-reconciler.ts';
import { type RecoveryDeps, recover } from './reconcile/recovery.ts';
import type { Reporter } from './reports/reporter.ts';
import { RETRY } from './retry/policies.ts';
import type { RetryUntilStopped } from './retry/retry-until-stopped.ts';

/** How long the broker may take to answer when offers are deregistered at the end. */
const DEREGISTER_MS = 500;

/** How long background tasks may take to end. */
const SETTLE_MS = 400;

/** How long `evict` may take to end jobs and to deliver their releases. */
const EVICT_MS = 15_000;

/** What goes on until the signal aborts. */
type Worker = { work(signal: AbortSignal): Promise<void> };

/** What an agent runs; built by `buildAgent`. */
export type AgentParts = {
  /** `market` aborts when no more jobs are claimed, `detach` when the daemon ends. */
  readonly market: AbortController;
  readonly detach: AbortController;
  readonly tasks: BackgroundTasks;
  readonly control: OwnerControl;
  readonly owner: OwnerCommands;
  readonly overview: Overview;
  readonly outputs: LiveOutputs;
  readonly recovery: Omit<RecoveryDeps, 'signal'>;
  readonly admission: AdmissionControl;
  readonly reporter: Reporter;
  readonly reconciler: LeaseReconciler;
  readonly garbage: GarbageCollector;
  readonly gpuHealth: GpuHealth;
  readonly calendar: Calendar;
  /** Undefined: no GPU yields to its owner. */
  readonly presence: Pick<OwnerPresence, 'work'> | undefined;
  readonly desks: DeskReports;
  readonly slots: SlotPool;
  readonly jobRunner: JobRunner;
  readonly planner: OfferPlanner;
  readonly catalogue: GpuCatalogue;
  readonly pricer: Pricer;
  readonly images: ImageKeeping;
  /** Undefined: nothing is decided on images. */
  readonly imageWorkers: { readonly evictor: Worker; readonly prefetch: Worker | undefined } | undefined;
  readonly costs: () => CostTerms;
  /** Undefined: the market is not recorded. */
  readonly marketRecorder: Pick<MarketRecorder, 'work'> | undefined;
  readonly demand: Pick<ImageDemands, 'work'>;
  readonly offers: Market;
  readonly cordonedOffers: CordonedOffers;
  /** Notified when what waits for its next try may be tried now. */
  readonly retryNow: Notifier;
  readonly retryUntilExit: RetryUntilStopped;
  readonly journal: Pick<Journal, 'uuidsIn'>;
  readonly clock: HostClock;
  readonly log: Log;
  readonly observe: Observer;
  readonly once: boolean;
};

/** Runs the agent's background tasks and ends them. Lives once: `run`, ended by `stop`, `drain` or `evict`. */
export class Agent {
  readonly #parts: AgentParts;
  #isEnding = false;
  /** Why the agent has not recovered yet. */
  #recoveryProblem: Problem | undefined;

  constructor(parts: AgentParts) {
    this.#parts = parts;
  }

  /**
   * Recovers, registers the offers and works until `stop`, `drain` or `evict`; with `once` until the market has nothing
   * left. Throws where `once` cannot go on, and where the journal cannot be used.
   */
  async run(): Promise<void> {
    const {
      admission,
      control,
      demand,
      detach,
      jobRunner,
      market,
      offers,
      presence,
      reconciler,
      reporter,
      tasks,
    } = this.#parts;
    tasks.run(reporter.work(detach.signal));
    // Leases are renewed also while the engine is unreachable.
    tasks.run(reconciler.work(() => offers.instances, detach.signal));
    tasks.run(demand.work(detach.signal));
    tasks.run(admission.work());
    tasks.run(control.work(detach.signal));
    // Also while the agent is being drained: jobs may have to go.
    if (presence !== undefined) tasks.run(presence.work(detach.signal));
    try {
      await this.#work();
    } catch (thrown) {
      // What `stop` or `drain` interrupts ends with an error of its own.
      if (!this.#isEnding) throw thrown;
    } finally {
      market.abort();
      if (this.#isEnding) await aborted(detach.signal);
      detach.abort();
      // An engine that does not answer must not delay the end: the next start recovers.
      await waitAtMost(SETTLE_MS, Promise.all([tasks.settled(), jobRunner.settled()]));
    }
  }

  /** Ends the daemon within a second: jobs run on, the next start adopts them. */
  async stop(): Promise<void> {
    await this.#leaveMarket('the agent stops');
    this.#parts.detach.abort();
  }

  /** Claims no more jobs, waits for those that run, delivers all reports, then ends. `stop` may cut it short. */
  async drain(): Promise<void> {
    const { detach, log } = this.#parts;
    await this.#leaveMarket('the agent is being drained');
    await untilIdle(() => this.#isIdle(), log, detach.signal);
    detach.abort();
  }

  /** Ends the jobs that run and releases them, delivers what it can in time, then ends. The next start does the rest. */
  async evict(): Promise<void> {
    const { detach, jobRunner, log } = this.#parts;
    const inTime = within(EVICT_MS, detach.signal);
    jobRunner.evict('its owner took the machine back');
    await this.#leaveMarket('the agent evicts its jobs');
    await untilIdle(() => this.#isIdle(), log, inTime);
    detach.abort();
  }

  /** What the desks of users report. */
  get desks(): DeskReports {
    return this.#parts.desks;
  }

  /** What the owner may command. */
  get owner(): OwnerCommands {
    return this.#parts.owner;
  }

  /** The broker's GPUs by uuid; empty before they were fetched. */
  get catalogue(): GpuCatalogue['gpus'] {
    return this.#parts.catalogue.gpus;
  }

  /** What the owner may ask of images. */
  get images(): ImageKeeping {
    return this.#parts.images;
  }

  /** What offers ask, and why. */
  get pricer(): Pricer {
    return this.#parts.pricer;
  }

  /** What jobs cost now, and why. */
  get costs(): CostTerms {
    return this.#parts.costs();
  }

  /** What the jobs that run print. */
  get outputs(): LiveOutputs {
    return this.#parts.outputs;
  }

  /** What the owner may see. */
  get overview(): Overview {
    return this.#parts.overview;
  }

  /** What the offers make of the runs that they saw last. */
  viewMarket(): Steps<MarketView> {
    return viewMarket(this.#parts.offers.workers);
  }

  /** Why this host can claim no job now, and what its owner can do about it; undefined: it can. */
  problem(): Problem | undefined {
    const { admission, gpuHealth, planner, slots } = this.#parts;
    return (
      this.#recoveryProblem ??
      admission.problem() ??
      planner.problem ??
      // Without an offer yet, no GPU has passed its test container.
      (slots.isUsable && !slots.isEmpty ? undefined : gpuHealth.problem)
    );
  }

  /** What makes jobs slow or their cost unknown, and what its owner can do about it; undefined: nothing does. */
  degraded(): Problem | undefined {
    const slow = this.#parts.admission.degraded();
    const { isStale, now } = this.costs;
    if (slow !== undefined || !isStale) return slow;
    const counted = now?.source === 'configured' ? 'that of electricity-price counts' : 'floors assume one';
    return {
      why: `no price of electricity is published for now; ${counted}`,
      hint: 'see electricity-prices-failed in the log, and `sharedcloud-agent price explain`',
    };
  }

  /** Applies the prices that the planner answers now. */
  reprice(): void {
    const { offers, planner, pricer, tasks } = this.#parts;
    offers.setPrices(pricer.configure(planner.all()));
    for (const worker of offers.workers) tasks.run(offers.reprice(worker));
  }

  /** Follows another schedule from now on. */
  reschedule(schedule: Schedule): void {
    this.#parts.calendar.follow(schedule);
  }

  async #work(): Promise<void> {
    const { calendar, clock, cordonedOffers, detach, gpuHealth, log, market, marketRecorder } = this.#parts;
    const { imageWorkers, offers, once, planner, pricer, tasks } = this.#parts;
    await this.#recover();
    // Before the market: adopted jobs need the kernel log, and what follows may take for ever.
    tasks.run(gpuHealth.work());
    tasks.run(calendar.work(market.signal));
    if (imageWorkers !== undefined) tasks.run(imageWorkers.evictor.work(detach.signal));
    if (imageWorkers?.prefetch !== undefined) tasks.run(imageWorkers.prefetch.work(market.signal));
    tasks.run(pricer.work(market.signal));
    if (marketRecorder !== undefined && !once) tasks.run(marketRecorder.work(market.signal));
    const plans = await planner.first(market.signal);
    if (plans instanceof AgentError) {
      await untilIdle(() => this.#isIdle(), log, market.signal);
      throw plans;
    }
    await this.#untilTested();
    gpuHealth.polled.subscribe((gpus) => {
      for (const plan of planner.since(gpus)) tasks.run(this.#offer(plan));
    });
    // With `once` a market without a usable GPU ends the agent by itself.
    if (!once) tasks.run(cordonedOffers.work(market.signal));
    // Side by side: an offer that the broker refuses for now keeps no other off the market.
    const offered = plans.map((plan) => this.#offer(plan));
    if (!once) {
      for (const offering of offered) tasks.run(offering);
      return aborted(detach.signal);
    }
    await Promise.all(offered);
    const work = { market: offers, idle: () => this.#isIdle(), exhausted: () => this.#exhausted(), clock };
    await untilExhausted(work, market.signal);
    if (!market.signal.aborted) await this.#endOnce();
  }

  /** Makes journal and engine agree, however long the engine is unreachable, and reattaches to running jobs. */
  async #recover(): Promise<void> {
    const { admission, detach, garbage, jobRunner, market, observe } = this.#parts;
    const { reconciler, recovery, retryUntilExit, slots, tasks } = this.#parts;
    const adoptions = await retryUntilExit(async () => {
      try {
        return await recover({ ...recovery, signal: detach.signal });
      } catch (thrown) {
        const { hint, message } = asAgentError(thrown);
        this.#recoveryProblem = { why: message, hint };
        throw thrown;
      }
    });
    this.#recoveryProblem = undefined;
    for (const { container, job } of adoptions) {
      // Without a number it runs as the user of the first job.
      const lease = slots.lease({ id: job.slot, gpu: job.gpu }, container.neighbour ?? 0);
      jobRunner.adopt(job, container, lease);
    }
    jobRunner.recovered();
    observe({ kind: 'recovery-completed', adopted: adoptions.length });
    recovery.reportPending.notify();
    reconciler.recovered();
    tasks.run(garbage.work(detach.signal));
    // Not earlier, since recovery removes what the journal does not know.
    tasks.run(admission.breaker.work(market.signal));
    tasks.run(this.#detectSuspends());
  }

  /** Offers nothing before a test container has shown that the engine can run jobs. */
  async #untilTested(): Promise<void> {
    const { admission, market, once } = this.#parts;
    const inTime = once ? within(RETRY.startupOnce.giveUpAfterMs, market.signal) : market.signal;
    await admission.breaker.passed(inTime);
    const { problem } = admission.breaker;
    if (once && problem !== undefined && !market.signal.aborted) throw problem;
  }

  async #offer(plan: OfferPlan): Promise<void> {
    const { gpuHealth, offers, once, pricer, tasks } = this.#parts;
    offers.setPrices(pricer.configure([plan]));
    const gpus = new Set(plan.slots.flatMap(({ gpu }) => gpu ?? []));
    const error = gpus.size === 0 ? undefined : await gpuHealth.admit([...gpus], !once);
    if (error !== undefined) throw error;
    const worker = await offers.register(plan);
    tasks.run(offers.reprice(worker));
    tasks.run(worker.work());
  }

  async #endOnce(): Promise<void> {
    const { jobRunner, market, offers } = this.#parts;
    await offers.leave('nothing is left on the market', within(DEREGISTER_MS));
    market.abort();
    if (jobRunner.lastRelease === undefined) return;
    const why = `jobs were released, because they cannot run here: ${jobRunner.lastRelease}`;
    throw new AgentError('RUNTIME_FAILED', why);
  }

  async #leaveMarket(why: string): Promise<void> {
    this.#isEnding = true;
    this.#parts.market.abort();
    await this.#parts.offers.leave(why, within(DEREGISTER_MS));
  }

  #detectSuspends(): Promise<void> {
    const { calendar, clock, detach, gpuHealth, log, retryNow } = this.#parts;
    const onResume = (suspendedMs: number): void => {
      log.warn({ event: 'suspend-detected', suspendedMs }, 'the host slept or the agent was stopped');
      calendar.check();
      gpuHealth.pollNow();
      retryNow.notify();
    };
    return detectSuspends(() => sampleClocks(clock), onResume, detach.signal);
  }

  /** Why `once` cannot end well; undefined: it may. */
  #exhausted(): AgentError | undefined {
    const { admission, jobRunner, reporter } = this.#parts;
    if (jobRunner.active.length > 0) return undefined;
    const unhealthy = admission.unhealthyForLongerThan(RETRY.startupOnce.giveUpAfterMs);
    if (unhealthy !== undefined || !reporter.exhausted) return unhealthy;
    return new AgentError('BROKER_REFUSED', 'the broker refuses reports or releases; they are kept on disk', {
      hint: 'see the lines above for its answers; the next start tries again',
    });
  }

  /** Whether nothing runs here and nothing is pending for the broker. */
  #isIdle(): boolean {
    const { admission, gpuHealth, journal, jobRunner, reporter } = this.#parts;
    if (journal.uuidsIn(...SLOT_STATES).length > 0 || gpuHealth.busy || admission.breaker.busy) return false;
    return jobRunner.active.length === 0 && reporter.drained;
  }
}
