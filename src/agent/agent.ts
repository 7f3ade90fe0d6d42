import { AgentError, asAgentError } from '../domain/errors.ts';
import { SLOT_STATES } from '../domain/job.ts';
import type { OfferPlan } from '../domain/offer.ts';
import { aborted, within } from '../lib/deadline.ts';
import { sleep } from '../lib/sleep.ts';
import type { AgentDeps } from './deps.ts';
import type { AgentEvent, Observer } from './events/events.ts';
import { HostCare } from './host-care.ts';
import { ImagePuller } from './images/image-puller.ts';
import { DiskQuotaMonitor } from './jobs/disk-quota.ts';
import { JobRunner } from './jobs/job-runner.ts';
import { BackgroundTasks } from './lifecycle/background-tasks.ts';
import { untilExhausted } from './lifecycle/once.ts';
import { untilIdle } from './lifecycle/shutdown.ts';
import { detectSuspends, sampleClocks } from './lifecycle/suspend-detector.ts';
import { TokenRefresher } from './lifecycle/token-refresher.ts';
import { OfferWorker } from './market/offer-worker.ts';
import { RunResolver } from './market/run-resolver.ts';
import { NetworkSelector } from './network/network-selector.ts';
import { InstanceRegistrar } from './offers/instance-registrar.ts';
import { OfferPlanner } from './offers/offer-planner.ts';
import { LeaseReconciler } from './reconcile/lease-reconciler.ts';
import { type Adoption, recover } from './reconcile/recovery.ts';
import { Reporter } from './reports/reporter.ts';
import { RETRY } from './retry/policies.ts';
import { type RetryUntilStopped, retryUntilStopped } from './retry/retry-until-stopped.ts';

/** How long the broker may take to hear that we leave, when the daemon stops. */
const FAREWELL_MS = 500;

/** How long the loops may take to end once they were told to. */
const LAST_WORDS_MS = 400;

/** How long it may take to end what runs and to give it back. */
const GIVE_BACK_MS = 15_000;

/** Owns the loops and their lifetimes. An agent lives once: `run`, ended by `stop`, `drain` or `evict`. */
export class Agent {
  readonly #deps: AgentDeps;
  readonly #host: HostCare;
  readonly #market = new AbortController();
  readonly #detach = new AbortController();
  readonly #reporter: Reporter;
  readonly #jobRunner: JobRunner;
  readonly #reconciler: LeaseReconciler;
  readonly #images: ImagePuller;
  readonly #resolver: RunResolver;
  readonly #offers: InstanceRegistrar;
  readonly #planner: OfferPlanner;
  readonly #tokens: TokenRefresher;
  /** Repeats what must work: until the agent is told to leave the market, or until it ends. */
  readonly #retryUntilStopped: RetryUntilStopped;
  readonly #retryUntilExit: RetryUntilStopped;
  /** Ends the waits between tries, and is replaced then. */
  #sooner = new AbortController();
  /** Stories of jobs that were here before this daemon, by slot. */
  readonly #adopted = new Map<string, Promise<void>>();
  readonly #loops: BackgroundTasks;
  #workers: readonly OfferWorker[] = [];
  /** Only reports: to the log and the systemd status. */
  readonly #report: Observer;
  #leaving = false;
  /** Why the last job had to be released; undefined where jobs run here since. */
  #hostFault: string | undefined;

  constructor(deps: AgentDeps) {
    const market = this.#market.signal;
    const detach = this.#detach.signal;
    this.#loops = new BackgroundTasks(deps.log, () => this.#leaving);
    this.#host = new HostCare({
      ...deps,
      lifecycles: () => this.#jobRunner,
      onLift: () => this.#workers.forEach((stand) => stand.wake()),
      workers: () => this.#workers,
      onGpus: (gpus) => this.#planner.since(gpus).forEach((plan) => this.#loops.run(this.#register(plan))),
      market,
      signal: detach,
    });
    const observe = (event: AgentEvent): void => this.#observe(event, deps.observe);
    this.#report = deps.observe;
    this.#deps = { ...deps, ...this.#host.ports, observe };
    this.#tokens = new TokenRefresher({ ...deps, signal: detach, onNew: () => this.#tryAfresh() });
    const onRefused = (): void => this.#tokens.rejected();
    this.#reporter = new Reporter({ ...this.#deps, onRefused });
    const networks = new NetworkSelector({ ...this.#deps, wanted: deps.network, detach });
    const onPending = (): void => this.#reporter.wake();
    this.#jobRunner = new JobRunner({
      ...this.#deps,
      disk: new DiskQuotaMonitor({ ...this.#deps, ...deps.settings }),
      killPatienceMs: deps.settings.killPatienceMs,
      hostFault: (job, exit) => this.#host.fault(job, exit),
      networkFor: (image) => networks.networkFor(image),
      onPending,
      detach,
    });
    const cancel = (job: string, why: string): void => this.#jobRunner.cancel(job, why);
    this.#reconciler = new LeaseReconciler({ ...this.#deps, cancel, onRefused });
    this.#images = new ImagePuller({ ...this.#deps, images: this.#deps.runtime.images, signal: market });
    this.#resolver = new RunResolver({ ...this.#deps, signal: market });
    this.#offers = new InstanceRegistrar(this.#deps);
    const { once } = deps.settings;
    const patient = { ...this.#deps, once, onRefused, sooner: () => this.#sooner.signal };
    this.#retryUntilStopped = retryUntilStopped({ ...patient, signal: market });
    this.#retryUntilExit = retryUntilStopped({ ...patient, signal: detach });
    const idle = (): boolean => this.#idle();
    const planner = { probe: this.#host.gpus, once, idle, retryUntilStopped: this.#retryUntilStopped };
    this.#planner = new OfferPlanner({ ...deps, ...planner });
  }

  /**
   * Recovers, goes on the market and works until `stop` or `drain`; with `once` until the market has nothing left.
   * Throws where `once` cannot go on, and where the journal cannot be used.
   */
  async run(): Promise<void> {
    const detach = this.#detach.signal;
    const instances = (): readonly string[] => this.#workers.map(({ offer }) => offer.instance);
    this.#loops.run(this.#reporter.work(detach));
    // Leases do not wait for an engine that is away.
    this.#loops.run(this.#reconciler.work(instances, detach));
    this.#loops.run(this.#host.holds.work());
    try {
      await this.#work();
    } catch (thrown) {
      // What was under way when the agent was told to stop or drain ends with an error of its own.
      if (!this.#leaving) throw thrown;
    } finally {
      this.#market.abort();
      if (this.#leaving) await aborted(detach);
      this.#detach.abort();
      const ending = Promise.allSettled([...this.#loops.running, ...this.#adopted.values()]);
      // An engine that does not answer must not keep the daemon: what it was asked for is found at the next start.
      await Promise.race([ending, sleep(LAST_WORDS_MS)]);
    }
  }

  /** Ends the daemon within a second: no new claims, what runs keeps running, the next start goes on with it. */
  async stop(): Promise<void> {
    this.#leaving = true;
    this.#market.abort();
    await this.#leaveMarket('the agent stops');
    this.#detach.abort();
  }

  /** Takes no new jobs, waits for those that run, delivers all reports, then ends. `stop` may cut it short. */
  async drain(): Promise<void> {
    this.#leaving = true;
    this.#market.abort();
    await this.#leaveMarket('the agent is being drained');
    await untilIdle(() => this.#idle(), this.#deps.log, this.#detach.signal);
    this.#detach.abort();
  }

  /**
   * Ends what runs and gives those jobs back to the market, delivers what can be delivered soon, then ends. What
   * cannot be ended or delivered is left to the next start.
   */
  async evict(): Promise<void> {
    this.#leaving = true;
    this.#market.abort();
    const inTime = within(GIVE_BACK_MS, this.#detach.signal);
    this.#jobRunner.evict('its owner took the machine back');
    await this.#leaveMarket('the agent gives its jobs back');
    await untilIdle(() => this.#idle(), this.#deps.log, inTime);
    this.#detach.abort();
  }

  /** Repricer what the plan says by now: of new jobs at once, at the broker as soon as it can be told. */
  reprice(): void {
    this.#offers.setPrices(this.#planner.again());
    for (const stand of this.#workers) this.#loops.run(this.#offers.reprice(stand, this.#retryUntilStopped));
  }

  async #work(): Promise<void> {
    const onPending = (): void => this.#reporter.wake();
    const recovery = { ...this.#deps, observe: this.#report, onPending, signal: this.#detach.signal };
    const adoptions = await this.#retryUntilExit(() => recover(recovery));
    for (const adoption of adoptions) this.#adopt(adoption);
    this.#deps.observe({ kind: 'recovery-completed', adopted: adoptions.length });
    onPending();
    this.#reconciler.recovered();
    this.#loops.run(this.#host.sweep());
    this.#loops.run(this.#detectSuspends());
    const plans = await this.#planner.first(this.#market.signal);
    this.#loops.run(this.#host.gpus.work());
    // Each by itself: an offer that the broker refuses for now keeps no other off the market.
    const up = plans.map((plan) => this.#register(plan));
    if (!this.#deps.settings.once) {
      for (const putting of up) this.#loops.run(putting);
      return aborted(this.#detach.signal);
    }
    await Promise.all(up);
    const workers = (): readonly OfferWorker[] => this.#workers;
    const { clock } = this.#deps;
    const work = { workers, idle: () => this.#idle(), exhausted: () => this.#exhausted(), clock };
    await untilExhausted(work, this.#market.signal);
    if (this.#market.signal.aborted) return;
    await this.#leaveMarket('nothing is left on the market');
    this.#market.abort();
    if (this.#hostFault === undefined) return;
    throw new AgentError(
      'RUNTIME_FAILED',
      `jobs went back to the market, since they cannot run here: ${this.#hostFault}`,
    );
  }

  async #register(plan: OfferPlan): Promise<void> {
    const { signal } = this.#market;
    const offer = await this.#retryUntilStopped((inTime) => this.#offers.register(plan, inTime));
    const stand = new OfferWorker(offer, {
      ...this.#deps,
      images: this.#images,
      resolver: this.#resolver,
      gpus: this.#host.gpus,
      offers: this.#offers,
      holds: this.#host.holds,
      jobRunner: this.#jobRunner,
      catalogue: this.#planner.catalogue,
      onPending: () => this.#reporter.wake(),
      onAnswer: (again) => {
        this.#tokens.accepted();
        this.#reporter.brokerAnswered(again);
      },
      onRefused: () => this.#tokens.rejected(),
      onLease: (seconds) => this.#reconciler.lease(seconds),
      signal,
      detach: this.#detach.signal,
    });
    for (const [slot, lifecycle] of this.#adopted) {
      if (!stand.slots.has(slot)) continue;
      stand.slots.adopt(slot);
      void lifecycle.then(() => stand.slots.release(slot));
    }
    stand.slots.cordon(this.#host.gpus.cordons);
    this.#workers = [...this.#workers, stand];
    this.#loops.run(this.#offers.reprice(stand, this.#retryUntilStopped));
    this.#reconciler.now();
    this.#loops.run(stand.work());
  }

  #observe(event: AgentEvent, observe: Observer): void {
    if (event.kind === 'job-release-queued') this.#hostFault = event.why;
    if (event.kind === 'job-ended') this.#hostFault = undefined;
    this.#workers.forEach((stand) => stand.hear(event));
    this.#host.observe(event);
    observe(event);
  }

  #adopt({ container, job }: Adoption): void {
    const lifecycle = this.#jobRunner
      .adopt(job, container)
      .catch((thrown: unknown) => {
        const error = asAgentError(thrown);
        this.#deps.log.error({ job: job.uuid, code: error.code }, `job not carried on: ${error.message}`);
      })
      .then(() => this.#host.gpus.slotVacated(job))
      .finally(() => this.#adopted.delete(job.slot));
    this.#adopted.set(job.slot, lifecycle);
  }

  async #leaveMarket(why: string): Promise<void> {
    const signal = within(FAREWELL_MS);
    await Promise.all(this.#workers.map((stand) => this.#offers.deregister(stand.offer, why, signal)));
  }

  /** Tells when nothing was done here for a while, and polls at once at what may have changed meanwhile. */
  #detectSuspends(): Promise<void> {
    const { clock, log } = this.#deps;
    const onWakeUp = (suspendedMs: number): void => {
      log.warn({ suspendedMs }, 'the host slept or the agent was stopped; all is looked at afresh');
      this.#host.gpus.pollNow();
      this.#tryAfresh();
    };
    return detectSuspends(() => sampleClocks(clock), onWakeUp, this.#detach.signal);
  }

  /** Tries at once what waits for its next try: there is another token, or the host has slept. */
  #tryAfresh(): void {
    this.#sooner.abort();
    this.#sooner = new AbortController();
    this.#resolver.retryNow();
    for (const stand of this.#workers) stand.market.restartPoll();
    this.#reconciler.now();
    this.#reporter.retrySoon();
  }

  #exhausted(): AgentError | undefined {
    if (this.#jobRunner.active.length > 0) return undefined;
    const lost = this.#host.holds.unhealthyForLongerThan(RETRY.startupOnce.giveUpAfterMs);
    if (lost !== undefined || !this.#reporter.exhausted) return lost;
    return new AgentError('BROKER_REFUSED', 'the broker refuses reports or releases; they are kept on disk', {
      hint: 'see the lines above for what it says; the next start tries again',
    });
  }

  /** Nothing runs here and the broker is owed nothing. */
  #idle(): boolean {
    const open = this.#deps.journal.uuidsIn(...SLOT_STATES);
    if (open.length > 0 || this.#host.gpus.busy) return false;
    return this.#jobRunner.active.length === 0 && this.#reporter.drained;
  }
}
