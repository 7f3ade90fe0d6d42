import { AgentError, asAgentError } from '../domain/errors.ts';
import type { CatalogueGpu, Gpu } from '../domain/gpu.ts';
import { SLOT_STATES } from '../domain/job.ts';
import type { OfferPlan } from '../domain/offer.ts';
import { aborted } from '../lib/aborted.ts';
import { sleep } from '../lib/sleep.ts';
import type { AgentDeps } from './agent-deps.ts';
import type { AgentEvent, Observer } from './events.ts';
import { GpuWatch } from './gpu-watch.ts';
import { HostCare } from './host-care.ts';
import { ImageKeeper } from './image-keeper.ts';
import { MarketStand } from './market-stand.ts';
import { nothingLeft } from './nothing-left.ts';
import { Offers } from './offers.ts';
import { ONCE_PATIENCE_MS, type Patience, patience } from './patience.ts';
import { Reconciler } from './reconciler.ts';
import { type Adoption, recover } from './recovery.ts';
import { Reporter } from './reporter.ts';
import { RunJob } from './run-job.ts';

/** A host without anything to offer is looked at again this often. */
const NOTHING_TO_OFFER_MS = 60_000;
/** How long the broker may take to hear that we leave, when the daemon stops. */
const FAREWELL_MS = 500;

/** How long the loops may take to end once they were told to. */
const LAST_WORDS_MS = 400;

/** Owns the loops and their lifetimes. An agent lives once: `run`, ended by `stop` or `drain`. */
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
  readonly #patiently: Patience;
  /** Stories of jobs that were here before this daemon, by slot. */
  readonly #adopted = new Map<string, Promise<void>>();
  readonly #working = new Set<Promise<void>>();
  /** Keys of the offers that are up or on their way, and the GPUs that were looked at for them. */
  readonly #planned = new Set<string>();
  readonly #seen = new Set<string>();
  #stands: readonly MarketStand[] = [];
  #leaving = false;
  /** Why the last job had to be released; undefined where jobs run here since. */
  #hostFault: string | undefined;
  #catalogue: ReadonlyMap<string, CatalogueGpu> = new Map();

  constructor(deps: AgentDeps) {
    const market = this.#market.signal;
    const detach = this.#detach.signal;
    this.#host = new HostCare({
      ...deps,
      stories: () => this.#runJob,
      onLift: () => this.#stands.forEach((stand) => stand.wake()),
      onEngineBack: () => this.#images.lookAgain(),
      signal: detach,
    });
    const observe = (event: AgentEvent): void => this.#observe(event, deps.observe);
    this.#deps = { ...deps, ...this.#host.ports, observe };
    this.#reporter = new Reporter(this.#deps);
    const onOwed = (): void => this.#reporter.wake();
    this.#runJob = new RunJob({
      ...this.#deps,
      diskLimitBytes: deps.settings.diskLimitBytes,
      killPatienceMs: deps.settings.killPatienceMs,
      hostFault: (job, exit) => Promise.resolve(this.#host.fault(job, exit)),
      onOwed,
      detach,
    });
    this.#reconciler = new Reconciler({ ...this.#deps, cancel: (job, why) => this.#runJob.cancel(job, why) });
    this.#images = new ImageKeeper({ ...this.#deps, images: this.#deps.runtime.images, signal: market });
    this.#offers = new Offers(this.#deps);
    this.#patiently = patience({ ...deps, once: deps.settings.once, signal: market });
  }

  /**
   * Recovers, goes on the market and works until `stop` or `drain`; with `once` until the market has nothing left.
   * Throws where `once` cannot go on, and where the journal cannot be used.
   */
  async run(): Promise<void> {
    const detach = this.#detach.signal;
    this.#keep(this.#reporter.work(detach));
    this.#keep(this.#host.holds.work());
    try {
      await this.#work();
    } catch (thrown) {
      // What was under way when the agent was told to stop or drain ends with an error of its own.
      if (!this.#leaving) throw thrown;
    } finally {
      this.#market.abort();
      if (this.#leaving) await aborted(detach);
      this.#detach.abort();
      const ending = Promise.allSettled([...this.#working, ...this.#adopted.values()]);
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
    while (!this.#idle() && (await sleep(100, this.#detach.signal)));
    this.#detach.abort();
  }

  async #work(): Promise<void> {
    const { once } = this.#deps.settings;
    const instances = (): readonly string[] => this.#stands.map(({ offer }) => offer.instance);
    for (const adoption of await this.#patiently(() => this.#recover())) this.#adopt(adoption);
    this.#reporter.wake();
    this.#keep(this.#reconciler.work(instances, this.#detach.signal));
    this.#keep(this.#host.sweep());
    const plans = await this.#whatToOffer();
    const onGpus = (gpus: readonly Gpu[]): void => this.#offerNew(gpus);
    const keepOut = (gpus: ReadonlySet<string>): void => this.#keepOut(gpus);
    const watch = new GpuWatch({ ...this.#deps, keepOut, onGpus });
    this.#keep(watch.work(() => this.#offered(), this.#market.signal));
    // Each by itself: an offer that the broker refuses for now keeps no other off the market.
    const up = plans.map((plan) => this.#putUp(plan));
    if (!once) {
      for (const putting of up) this.#keep(putting);
      return aborted(this.#detach.signal);
    }
    await Promise.all(up);
    const { clock } = this.#deps;
    const stands = (): readonly MarketStand[] => this.#stands;
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

  /** Recovers, once the runtime says that it can run jobs at all. */
  async #recover(): Promise<readonly Adoption[]> {
    const { log, runtime } = this.#deps;
    const what = await runtime.probe(this.#market.signal);
    log.info({ runtime: what }, 'the runtime is ready');
    return recover(this.#deps);
  }

  /** Waits for something to offer; with `once` throws where there is nothing. */
  async #whatToOffer(): Promise<readonly OfferPlan[]> {
    const { log, probe, settings } = this.#deps;
    const signal = this.#market.signal;
    while (!signal.aborted) {
      const catalogue = await this.#patiently((inTime) => this.#deps.broker.gpus(inTime));
      this.#catalogue = new Map(catalogue.map((gpu) => [gpu.uuid, gpu]));
      let trouble = new AgentError('GPU_NONE', 'this host has nothing to offer', {
        mend: 'see what `check` says; for CPU jobs set --cpu-slots',
      });
      let gpus: readonly Gpu[] = [];
      try {
        gpus = await probe.gpus(signal);
      } catch (thrown) {
        trouble = asAgentError(thrown);
      }
      const offers = this.#plan(gpus);
      if (offers.length > 0) {
        if (gpus.length === 0)
          log.warn(
            { code: trouble.code, mend: trouble.mend },
            `CPU jobs only, no GPU jobs: ${trouble.message}`,
          );
        return offers;
      }
      if (settings.once) {
        while (!this.#idle() && (await sleep(100, signal)));
        throw trouble;
      }
      log.error(
        { code: trouble.code, mend: trouble.mend },
        `nothing to offer, looking again: ${trouble.message}`,
      );
      await sleep(NOTHING_TO_OFFER_MS, signal);
    }
    return [];
  }

  #plan(gpus: readonly Gpu[]): readonly OfferPlan[] {
    const { log, planOffers } = this.#deps;
    for (const gpu of gpus) for (const { uuid } of [gpu, ...gpu.slices]) this.#seen.add(uuid);
    const plan = planOffers(gpus, [...this.#catalogue.values()]);
    for (const { mend, what, why } of plan.problems) log.warn({ what, mend }, `not offered: ${what}: ${why}`);
    return plan.offers;
  }

  /** Puts up what has come since: a driver may load long after the agent. */
  #offerNew(gpus: readonly Gpu[]): void {
    if (gpus.every((gpu) => [gpu, ...gpu.slices].some(({ uuid }) => this.#seen.has(uuid)))) return;
    for (const plan of this.#plan(gpus)) if (!this.#planned.has(plan.key)) this.#keep(this.#putUp(plan));
  }

  async #putUp(plan: OfferPlan): Promise<void> {
    this.#planned.add(plan.key);
    const { signal } = this.#market;
    const offer = await this.#patiently((inTime) => this.#offers.putUp(plan, inTime));
    const stand = new MarketStand(offer, {
      ...this.#deps,
      images: this.#images,
      offers: this.#offers,
      holds: this.#host.holds,
      runJob: this.#runJob,
      catalogue: () => this.#catalogue,
      onOwed: () => this.#reporter.wake(),
      onAnswer: (again) => this.#reporter.brokerAnswers(again),
      onLease: (seconds) => this.#reconciler.lease(seconds),
      signal,
      detach: this.#detach.signal,
    });
    for (const [slot, story] of this.#adopted) {
      if (!stand.slots.has(slot)) continue;
      stand.slots.occupy(slot);
      void story.then(() => stand.slots.giveBack(slot));
    }
    this.#stands = [...this.#stands, stand];
    this.#reconciler.now();
    this.#keep(stand.work());
  }

  #observe(event: AgentEvent, observe: Observer): void {
    if (event.kind === 'job-releasing') this.#hostFault = event.why;
    if (event.kind === 'job-ended') this.#hostFault = undefined;
    if (event.kind === 'job-released') this.#stands.forEach((stand) => stand.openAgain(event.job.run));
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
      .finally(() => this.#adopted.delete(job.slot));
    this.#adopted.set(job.slot, story);
  }

  /** Looks after a loop that nobody waits for. */
  #keep(loop: Promise<void>): void {
    const kept = loop
      .catch((thrown: unknown) => {
        const error = asAgentError(thrown);
        if (!this.#leaving)
          this.#deps.log.error({ code: error.code, err: thrown }, `a loop ended: ${error.message}`);
      })
      .finally(() => this.#working.delete(kept));
    this.#working.add(kept);
  }

  #keepOut(gpus: ReadonlySet<string>): void {
    for (const stand of this.#stands) stand.slots.keepOut(gpus);
  }

  #offered(): ReadonlySet<string> {
    return new Set(this.#stands.flatMap(({ offer }) => offer.slots.flatMap((slot) => slot.gpu ?? [])));
  }

  async #leaveMarket(why: string): Promise<void> {
    const stands = this.#stands;
    const signal = AbortSignal.timeout(FAREWELL_MS);
    await Promise.all(stands.map((stand) => this.#offers.takeDown(stand.offer, why, signal)));
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
    return this.#runJob.active.length === 0 && open.length === 0 && this.#reporter.settled;
  }
}
