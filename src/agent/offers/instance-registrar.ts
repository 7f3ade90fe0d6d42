import { asAgentError } from '../../domain/errors.ts';
import type { Offer, OfferPlan } from '../../domain/offer.ts';
import type { Broker, Instance } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Log } from '../../lib/log.ts';
import type { Observer } from '../events/events.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import { RETRY } from '../retry/policies.ts';
import { retry } from '../retry/retry.ts';
import type { RetryUntilStopped } from '../retry/retry-until-stopped.ts';
import { type PricedOffer, Repricer } from './repricer.ts';

/** An offer on the market, as far as its place there goes. */
export type RegisteredOffer = {
  readonly offer: Offer;
  /** Stands for another instance from now on. */
  rebind(instance: string): void;
};

/** Puts offers on the market: one instance at the broker for each, made once, kept in the journal, kept up to date. */
export class InstanceRegistrar {
  readonly #broker: Broker;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #observe: Observer;
  readonly #asks: Repricer;
  readonly #complaints: InvalidItemLog;
  /** The offers that are being put up again. */
  readonly #raising = new Set<string>();

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
    this.#asks = new Repricer(deps.observe);
    this.#complaints = new InvalidItemLog(deps.log, 'instance');
  }

  /** Makes or updates the offer's instance and goes on the market. Throws what the broker's client throws. */
  async register(plan: OfferPlan, signal: AbortSignal): Promise<Offer> {
    // The agent's own id in the name finds the instance again where its creation was never answered.
    const named = { ...this.#asks.now(plan), name: `${plan.name} #${this.#journal.agentId.slice(0, 8)}` };
    return this.#raise(named, signal);
  }

  /**
   * Sees to it that an offer is still on the market: the broker may have taken it off while it did not hear of us, or
   * know no such instance any more. Then there is another one; jobs of the old one are still reported as its own. A
   * failure is only told.
   */
  async registerAgain(stand: RegisteredOffer, signal: AbortSignal): Promise<void> {
    const { key } = stand.offer;
    if (this.#raising.has(key)) return;
    this.#raising.add(key);
    try {
      const raised = await this.#retry(signal, () => this.#raise(this.#asks.now(stand.offer), signal));
      if (raised.instance !== stand.offer.instance) stand.rebind(raised.instance);
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (!signal.aborted)
        this.#log.warn({ offer: key, code: error.code }, `offer not put up again: ${error.message}`);
    } finally {
      this.#raising.delete(key);
    }
  }

  /** Notes what the owner asks now, for offers that are up and those that are on their way. */
  setPrices(plans: readonly OfferPlan[]): void {
    this.#asks.setPrices(plans);
  }

  /** Brings an offer to what the owner asks now, here and at the broker. */
  async reprice(stand: PricedOffer, retryUntilStopped: RetryUntilStopped): Promise<void> {
    const tell = (offer: Offer): Promise<unknown> =>
      retryUntilStopped((signal) => this.#broker.updateInstance(offer.instance, offer, signal));
    await this.#asks.apply(stand, tell);
  }

  /** Goes off the market; a failure is only told. */
  async deregister(offer: Offer, why: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#broker.stopInstance(offer.instance, signal);
    } catch (thrown) {
      const error = asAgentError(thrown);
      this.#log.warn(
        { offer: offer.key, code: error.code },
        `offer not taken down at the broker: ${error.message}`,
      );
    }
    this.#observe({ kind: 'offer-deregistered', offer, why });
  }

  /** Tells the broker that an image is here; a failure is only told. */
  async announceImage(offer: Offer, registryPath: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#retry(signal, () => this.#broker.addImage(offer.instance, registryPath, signal));
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (signal.aborted) return;
      this.#log.warn(
        { image: registryPath, code: error.code },
        `image not told to the broker: ${error.message}`,
      );
    }
  }

  async #raise(plan: OfferPlan, signal: AbortSignal): Promise<Offer> {
    const instance = (await this.#known(plan, signal)) ?? (await this.#broker.createInstance(plan, signal));
    this.#journal.rememberInstance(plan.key, instance.uuid);
    if (differs(instance, plan)) await this.#broker.updateInstance(instance.uuid, plan, signal);
    await this.#broker.startInstance(instance.uuid, signal);
    const offer = { ...plan, instance: instance.uuid };
    this.#observe({ kind: 'offer-registered', offer });
    return offer;
  }

  #retry<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    return retry({ policy: RETRY.updateOffer, clock: this.#clock, random: this.#random, signal }, call);
  }

  async #known(plan: OfferPlan, signal: AbortSignal): Promise<Instance | undefined> {
    const remembered = this.#journal.instance(plan.key);
    const instance = remembered === undefined ? undefined : await this.#broker.instance(remembered, signal);
    if (instance !== undefined) return instance;
    const { invalid, items } = await this.#broker.instances(signal);
    this.#complaints.log(invalid);
    return items.find((one) => one.name === plan.name && one.kind === plan.kind);
  }
}

function differs(instance: Instance, plan: OfferPlan): boolean {
  return (
    instance.askPrice !== plan.askPrice ||
    instance.maxParallelJobs !== plan.slots.length ||
    instance.gpu !== (plan.gpu?.uuid ?? null) ||
    instance.kind !== plan.kind ||
    instance.name !== plan.name
  );
}
