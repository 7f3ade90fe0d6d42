import { AgentError, asAgentError } from '../domain/errors.ts';
import { SLOT_STATES } from '../domain/job.ts';
import type { OfferPlan } from '../domain/offer.ts';
import { aborted } from '../lib/aborted.ts';
import { within } from '../lib/deadline.ts';
import { sleep } from '../lib/sleep.ts';
import type { AgentDeps } from './deps.ts';
import type { AgentEvent, Observer } from './events/events.ts';
import { HostCare } from './host-care.ts';
import { ImageKeeper } from './images/image-puller.ts';
import { DiskWatch } from './jobs/disk-quota.ts';
import { RunJob } from './jobs/job-runner.ts';
import { Loops } from './lifecycle/background-tasks.ts';
import { nothingLeft } from './lifecycle/once.ts';
import { untilIdle } from './lifecycle/shutdown.ts';
import { tickOf, watchForWakeUps } from './lifecycle/suspend-detector.ts';
import { TokenWatch } from './lifecycle/token-refresher.ts';
import { MarketStand } from './market/offer-worker.ts';
import { JobNetworks } from './network/network-selector.ts';
import { Offers } from './offers/instance-registrar.ts';
import { OfferPlanner } from './offers/offer-planner.ts';
import { Reconciler } from './reconcile/lease-reconciler.ts';
import { type Adoption, recover } from './reconcile/recovery.ts';
import { Reporter } from './reports/reporter.ts';
import { ONCE_PATIENCE_MS, type Patience, patience } from './retry/policies.ts';

/** How long the broker may take to hear that we leave, when the daemon stops. */
const FAREWELL_MS = 500;

/** How long the loops may take to end once they were told to. */
const LAST_WORDS_MS = 400;

/** How long it may take to end what runs and to give it back. */
const GIVE_BACK_MS = 15_000;

/** Owns the loops and their lifetimes. An agent lives once: `run`, ended by `stop`, `drain` or `giveBack`. */
export class Agent {
  readonly #deps: AgentDeps;
  readonly #host: HostCare;
  readonly #market = new AbortController();
  readonly #detach = new AbortController();
  readonly #reporter: Reporter;
  readonly #runJob: RunJob;
  readonly #reconciler: Reconciler;
  readonly #images: ImageKeeper;
  readonly #offers: Offers;
  readonly #planner: OfferPlanner;
  readonly #tokens: TokenWatch;
  /** Repeats what must work: until the agent is told to leave the market, or until it ends. */
  readonly #patiently: Patience;
  readonly #toTheEnd: Patience;
  /** Ends the waits between tries, and is replaced then. */
  #sooner = new AbortController();
  /** Stories of jobs that were here before this daemon, by slot. */
  readonly #adopted = new Map<string, Promise<void>>();
  readonly #loops: Loops;
  #stands: readonly MarketStand[] = [];
  #leaving = false;
  /** Why the last job had to be released; undefined where jobs run here since. */
  #hostFault: string | undefined;

  constructor(deps: AgentDeps) {
    const market = this.#market.signal;
    const detach = this.#detach.signal;
    this.#loops = new Loops(deps.log, () => this.#leaving);
    this.#host = new HostCare({
      ...deps,
      stories: () => this.#runJob,
      onLift: () => this.#stands.forEach((stand) => stand.wake()),
      stands: () => this.#stands,
      onGpus: (gpus) => this.#planner.since(gpus).forEach((plan) => this.#loops.keep(this.#putUp(plan))),
      market,
      signal: detach,
    });
    const observe = (event: AgentEvent): void => this.#observe(event, deps.observe);
    this.#deps = { ...deps, ...this.#host.ports, observe };
    this.#tokens = new TokenWatch({ ...deps, signal: detach, onNew: () => this.#tryAfresh() });
    const onRefused = (): void => this.#tokens.refused();
    this.#reporter = new Reporter({ ...this.#deps, onRefused });
    const networks = new JobNetworks({ ...this.#deps, wanted: deps.network, detach });
    const onOwed = (): void => this.#reporter.wake();
    this.#runJob = new RunJob({
      ...this.#deps,
      disk: new DiskWatch({ ...this.#deps, ...deps.settings }),
      killPatienceMs: deps.settings.killPatienceMs,
      hostFault: (job, exit) => this.#host.fault(job, exit),
      networkFor: (image) => networks.forJob(image),
      onOwed,
      detach,
    });
    const cancel = (job: string, why: string): void => this.#runJob.cancel(job, why);
    this.#reconciler = new Reconciler({ ...this.#deps, cancel, onRefused });
    this.#images = new ImageKeeper({ ...this.#deps, images: this.#deps.runtime.images, signal: market });
    this.#offers = new Offers(this.#deps);
    const { once } = deps.settings;
    const patient = { ...this.#deps, once, onRefused, sooner: () => this.#sooner.signal };
    this.#patiently = patience({ ...patient, signal: market });
    this.#toTheEnd = patience({ ...patient, signal: detach });
    const idle = (): boolean => this.#idle();
    const planner = { probe: this.#host.gpus, once, idle, patiently: this.#patiently };
    this.#planner = new OfferPlanner({ ...deps, ...planner });
  }

  /**
   * Recovers, goes on the market and works until `stop` or `drain`; with `once` until the market has nothing left.
   * Throws where `once` cannot go on, and where the journal cannot be used.
   */
  async run(): Promise<void> {
    const detach = this.#detach.signal;
    const instances = (): readonly string[] => this.#stands.map(({ offer }) => offer.instance);
    this.#loops.keep(this.#reporter.work(detach));
    // Leases do not wait for an engine that is away.
    this.#loops.keep(this.#reconciler.work(instances, detach));
    this.#loops.keep(this.#host.holds.work());
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
  async giveBack(): Promise<void> {
    this.#leaving = true;
    this.#market.abort();
    const inTime = within(GIVE_BACK_MS, this.#detach.signal);
    this.#runJob.giveBack('its owner took the machine back');
    await this.#leaveMarket('the agent gives its jobs back');
    await untilIdle(() => this.#idle(), this.#deps.log, inTime);
    this.#detach.abort();
  }

  /** Asks what the plan says by now: of new jobs at once, at the broker as soon as it can be told. */
  reprice(): void {
    this.#offers.want(this.#planner.again());
    for (const stand of this.#stands) this.#loops.keep(this.#offers.reprice(stand, this.#patiently));
  }

  async #work(): Promise<void> {
    const onOwed = (): void => this.#reporter.wake();
    const recovery = { ...this.#deps, onOwed, signal: this.#detach.signal };
    const adoptions = await this.#toTheEnd(() => recover(recovery));
    for (const adoption of adoptions) this.#adopt(adoption);
    this.#deps.observe({ kind: 'recovered', adopted: adoptions.length });
    onOwed();
    this.#reconciler.recovered();
    this.#loops.keep(this.#host.sweep());
    this.#loops.keep(this.#watchForWakeUps());
    const plans = await this.#planner.first(this.#market.signal);
    this.#loops.keep(this.#host.gpus.work());
    // Each by itself: an offer that the broker refuses for now keeps no other off the market.
    const up = plans.map((plan) => this.#putUp(plan));
    if (!this.#deps.settings.once) {
      for (const putting of up) this.#loops.keep(putting);
      return aborted(this.#detach.signal);
    }
    await Promise.all(up);
    const stands = (): readonly MarketStand[] => this.#stands;
    const { clock } = this.#deps;
    const work = { stands, idle: () => this.#idle(), hopeless: () => this.#hopeless(), clock };
    await nothingLeft(work, this.#market.signal);
    if (this.#market.signal.aborted) return;
    await this.#leaveMarket('nothing is left on the market');
    this.#market.abort();
    if (this.#hostFault === undefined) return;
    throw new AgentError(
      'RUNTIME_FAILED',
      `jobs went back to the market, since they cannot run here: ${this.#hostFault}`,
    );
  }

  async #putUp(plan: OfferPlan): Promise<void> {
    const { signal } = this.#market;
    const offer = await this.#patiently((inTime) => this.#offers.putUp(plan, inTime));
    const stand = new MarketStand(offer, {
      ...this.#deps,
      images: this.#images,
      gpus: this.#host.gpus,
      offers: this.#offers,
      holds: this.#host.holds,
      runJob: this.#runJob,
      catalogue: this.#planner.catalogue,
      onOwed: () => this.#reporter.wake(),
      onAnswer: (again) => {
        this.#tokens.accepted();
        this.#reporter.brokerAnswers(again);
      },
      onRefused: () => this.#tokens.refused(),
      onLease: (seconds) => this.#reconciler.lease(seconds),
      signal,
      detach: this.#detach.signal,
    });
    for (const [slot, story] of this.#adopted) {
      if (!stand.slots.has(slot)) continue;
      stand.slots.occupy(slot);
      void story.then(() => stand.slots.giveBack(slot));
    }
    stand.slots.keepOut(this.#host.gpus.keptOut);
    this.#stands = [...this.#stands, stand];
    this.#loops.keep(this.#offers.reprice(stand, this.#patiently));
    this.#reconciler.now();
    this.#loops.keep(stand.work());
  }

  #observe(event: AgentEvent, observe: Observer): void {
    if (event.kind === 'job-releasing') this.#hostFault = event.why;
    if (event.kind === 'job-ended') this.#hostFault = undefined;
    this.#stands.forEach((stand) => stand.hear(event));
    this.#host.observe(event);
    observe(event);
  }

  #adopt({ container, job }: Adoption): void {
    const story = this.#runJob
      .adopt(job, container)
      .catch((thrown: unknown) => {
        const error = asAgentError(thrown);
        this.#deps.log.error({ job: job.uuid, code: error.code }, `job not carried on: ${error.message}`);
      })
      .then(() => this.#host.gpus.leaves(job))
      .finally(() => this.#adopted.delete(job.slot));
    this.#adopted.set(job.slot, story);
  }

  async #leaveMarket(why: string): Promise<void> {
    const signal = within(FAREWELL_MS);
    await Promise.all(this.#stands.map((stand) => this.#offers.takeDown(stand.offer, why, signal)));
  }

  /** Tells when nothing was done here for a while, and looks at once at what may have changed meanwhile. */
  #watchForWakeUps(): Promise<void> {
    const { clock, log } = this.#deps;
    const onWakeUp = (awayMs: number): void => {
      log.warn({ awayMs }, 'the host slept or the agent was stopped; all is looked at afresh');
      this.#host.gpus.lookNow();
      this.#tryAfresh();
    };
    return watchForWakeUps(() => tickOf(clock), onWakeUp, this.#detach.signal);
  }

  /** Tries at once what waits for its next try: there is another token, or the host has slept. */
  #tryAfresh(): void {
    this.#sooner.abort();
    this.#sooner = new AbortController();
    for (const stand of this.#stands) stand.market.lookAfresh();
    this.#reconciler.now();
    this.#reporter.trySoon();
  }

  #hopeless(): AgentError | undefined {
    if (this.#runJob.active.length > 0) return undefined;
    const lost = this.#host.holds.lostForLongerThan(ONCE_PATIENCE_MS);
    if (lost !== undefined || !this.#reporter.hopeless) return lost;
    return new AgentError('BROKER_REFUSED', 'the broker refuses reports or releases; they are kept on disk', {
      mend: 'see the lines above for what it says; the next start tries again',
    });
  }

  /** Nothing runs here and the broker is owed nothing. */
  #idle(): boolean {
    const open = this.#deps.journal.uuidsIn(...SLOT_STATES);
    if (open.length > 0 || this.#host.gpus.busy) return false;
    return this.#runJob.active.length === 0 && this.#reporter.settled;
  }
}
