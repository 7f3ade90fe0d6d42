import { asAgentError } from '../../domain/errors.ts';
import { type Offer, type OfferPlan, parallelJobsOf } from '../../domain/offer.ts';
import type { Broker, Instance } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Log } from '../../lib/log.ts';
import { OneAtATime } from '../../lib/one-at-a-time.ts';
import type { Observer } from '../events/events.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import { RETRY } from '../retry/policies.ts';
import { retry } from '../retry/retry.ts';
import type { RetryUntilStopped } from '../retry/retry-until-stopped.ts';
import { type PricedOffer, Repricer } from './repricer.ts';

/** An offer whose instance may be replaced by another. */
export type RegisteredOffer = PricedOffer & {
  /** Uses another instance from now on. */
  rebind(instance: string): void;
};

/** Registers offers: one instance at the broker for each, created once, remembered in the journal, kept up to date. */
export class InstanceRegistrar {
  readonly #broker: Broker;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #observe: Observer;
  readonly #repricer: Repricer;
  readonly #invalidItems: InvalidItemLog;
  /** By offer, because a registration and an update that overlap could leave the broker with the older figures. */
  readonly #writing = new Map<string, OneAtATime>();

  constructor(deps: {
    readonly broker: Broker;
    readonly journal: Journal;
    readonly clock: Clock;
    readonly random: () => number;
    readonly log: Log;
    readonly observe: Observer;
  }) {
    this.#broker = deps.broker;
    this.#journal = deps.journal;
    this.#clock = deps.clock;
    this.#random = deps.random;
    this.#log = deps.log;
    this.#observe = deps.observe;
    this.#repricer = new Repricer(deps.observe);
    this.#invalidItems = new InvalidItemLog(deps.log, 'instance');
  }

  /**
   * Creates or updates the offer's instance, and starts it if it is still wanted then. Answers whether it was started.
   * Throws what the broker's client throws.
   */
  async register(
    plan: OfferPlan,
    signal: AbortSignal,
    isWanted: () => boolean,
  ): Promise<{ readonly offer: Offer; readonly isStarted: boolean }> {
    using _turn = await this.#turn(plan.key);
    // The agent's id in the name finds an instance whose creation was not answered.
    const named = { ...plan, name: `${plan.name} #${this.#journal.agentId.slice(0, 8)}` };
    const offer = await this.#write(named, signal);
    const isStarted = isWanted();
    if (isStarted) await this.#start(offer, signal);
    return { offer, isStarted };
  }

  /**
   * Registers an offer again that the broker may have stopped, or whose instance it may not know any more, while it was
   * unreachable. Jobs of a replaced instance are still reported as that one's. Answers whether it is on the market for
   * certain; a failure is logged.
   */
  async registerAgain(registered: RegisteredOffer, signal: AbortSignal): Promise<boolean> {
    const { key } = registered.offer;
    try {
      await this.#retry(signal, async () => {
        using _turn = await this.#turn(key);
        const offer = await this.#write(registered.offer, signal, registered);
        await this.#start(offer, signal);
        if (offer.instance !== registered.offer.instance) registered.rebind(offer.instance);
      });
      return true;
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      const fields = { event: 'offer-registration-failed', offer: key, code };
      if (!signal.aborted) this.#log.warn(fields, `offer not registered again: ${message}`);
      return false;
    }
  }

  /** Sets what offers ask, registered or not; `reprice` applies it. */
  setPrices(plans: readonly OfferPlan[]): void {
    this.#repricer.setPrices(plans);
  }

  /** Sets how many jobs an offer takes at once, registered or not; `reprice` applies it. */
  setParallelJobs(key: string, jobs: number): void {
    this.#repricer.setParallelJobs(key, jobs);
  }

  /** Applies an offer's price and size, here and at the broker. False: the broker does not know the instance. */
  reprice(registered: PricedOffer, retryUntilStopped: RetryUntilStopped): Promise<boolean> {
    const update = async (signal: AbortSignal): Promise<Offer | undefined> => {
      using _turn = await this.#turn(registered.offer.key);
      // Not before the turn, because both figures and instance may have changed until then.
      const offer = this.#repricer.now(registered.offer);
      try {
        await this.#broker.updateInstance(offer.instance, offer, signal);
        return offer;
      } catch (thrown) {
        if (asAgentError(thrown).code === 'BROKER_NOT_FOUND') return undefined;
        throw thrown;
      }
    };
    return this.#repricer.apply(registered, () => retryUntilStopped(update));
  }

  /** Stops the offer's instance. Answers whether it is off the market for certain; a failure is logged. */
  async deregister(offer: Offer, why: string, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#broker.stopInstance(offer.instance, signal);
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      // An instance that the broker does not know is not on its market.
      if (code !== 'BROKER_NOT_FOUND') {
        const fields = { event: 'offer-deregistration-failed', offer: offer.key, code };
        this.#log.warn(fields, `offer not deregistered at the broker: ${message}`);
        return false;
      }
    }
    this.#observe({ kind: 'offer-deregistered', offer, why });
    return true;
  }

  /** Tells the broker that an image is pulled; a failure is only logged. */
  async announceImage(offer: Offer, registryPath: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#retry(signal, () => this.#broker.addImage(offer.instance, registryPath, signal));
    } catch (thrown) {
      if (signal.aborted) return;
      const { code, message } = asAgentError(thrown);
      const fields = { event: 'image-announcement-failed', image: registryPath, code };
      this.#log.warn(fields, `image not announced to the broker: ${message}`);
    }
  }

  /** Makes the broker have an instance with the offer's figures. */
  async #write(plan: OfferPlan, signal: AbortSignal, registered?: PricedOffer): Promise<Offer> {
    const now = (): OfferPlan => this.#repricer.now(plan);
    const instance = (await this.#known(plan, signal)) ?? (await this.#broker.createInstance(now(), signal));
    const { uuid } = instance;
    this.#journal.rememberInstance(plan.key, uuid);
    let written = now();
    for (let isBehind = differs(instance, written); isBehind; isBehind = differ(written, now())) {
      written = now();
      await this.#broker.updateInstance(uuid, written, signal);
    }
    const offer = { ...written, instance: uuid };
    this.#repricer.written(offer, registered);
    return offer;
  }

  async #start(offer: Offer, signal: AbortSignal): Promise<void> {
    await this.#broker.startInstance(offer.instance, signal);
    this.#observe({ kind: 'offer-registered', offer });
  }

  /** Waits until nothing else writes the offer's instance. */
  #turn(key: string): Promise<Disposable> {
    const writing = this.#writing.get(key) ?? new OneAtATime();
    this.#writing.set(key, writing);
    return writing.turn();
  }

  #retry<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    return retry({ policy: RETRY.updateOffer, clock: this.#clock, random: this.#random, signal }, call);
  }

  async #known(plan: OfferPlan, signal: AbortSignal): Promise<Instance | undefined> {
    const remembered = this.#journal.instance(plan.key);
    const instance = remembered === undefined ? undefined : await this.#broker.instance(remembered, signal);
    if (instance !== undefined) return instance;
    const list = await this.#broker.instances(signal);
    this.#invalidItems.log(list);
    return list.items.find((one) => one.name === plan.name && one.kind === plan.kind);
  }
}

/** Whether two states of a plan differ in what may change. */
function differ(one: OfferPlan, other: OfferPlan): boolean {
  return one.askPrice !== other.askPrice || parallelJobsOf(one) !== parallelJobsOf(other);
}

function differs(instance: Instance, plan: OfferPlan): boolean {
  return (
    instance.askPrice !== plan.askPrice ||
    instance.maxParallelJobs !== parallelJobsOf(plan) ||
    instance.gpu !== (plan.gpu?.uuid ?? null) ||
    instance.kind !== plan.kind ||
    instance.name !== plan.name
  );
}
