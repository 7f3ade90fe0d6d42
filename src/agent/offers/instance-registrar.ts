import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Offer, OfferPlan } from '../../domain/offer.ts';
import type { Broker, Clock, Instance, Journal } from '../../domain/ports.ts';
import type { Log } from '../../lib/log.ts';
import type { Observer } from '../events/events.ts';
import { Complaints } from '../events/invalid-item-log.ts';
import type { Patience } from '../retry/policies.ts';
import { BACKOFF, isPassing, withRetry } from '../retry/retry.ts';
import { type Asking, Asks } from './repricer.ts';

/** How long the broker is told again what it is told beside the way, where that fails. */
const TELL_PATIENCE_MS = 60_000;

/** An offer on the market, as far as its place there goes. */
export type Standing = {
  readonly offer: Offer;
  /** Stands for another instance from now on. */
  moveTo(instance: string): void;
};

/** Puts offers on the market: one instance at the broker for each, made once, kept in the journal, kept up to date. */
export class Offers {
  readonly #broker: Broker;
  readonly #journal: Journal;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Log;
  readonly #observe: Observer;
  readonly #asks: Asks;
  readonly #complaints: Complaints;
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
    this.#asks = new Asks(deps.observe);
    this.#complaints = new Complaints(deps.log, 'instance');
  }

  /** Makes or updates the offer's instance and goes on the market. Throws what the broker's client throws. */
  async putUp(plan: OfferPlan, signal: AbortSignal): Promise<Offer> {
    // The agent's own id in the name finds the instance again where its creation was never answered.
    const named = { ...this.#asks.now(plan), name: `${plan.name} #${this.#journal.agentId.slice(0, 8)}` };
    return this.#raise(named, signal);
  }

  /**
   * Sees to it that an offer is still on the market: the broker may have taken it off while it did not hear of us, or
   * know no such instance any more. Then there is another one; jobs of the old one are still reported as its own. A
   * failure is only told.
   */
  async putUpAgain(stand: Standing, signal: AbortSignal): Promise<void> {
    const { key } = stand.offer;
    if (this.#raising.has(key)) return;
    this.#raising.add(key);
    try {
      const raised = await this.#soon(signal, () => this.#raise(this.#asks.now(stand.offer), signal));
      if (raised.instance !== stand.offer.instance) stand.moveTo(raised.instance);
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (!signal.aborted)
        this.#log.warn({ offer: key, code: error.code }, `offer not put up again: ${error.message}`);
    } finally {
      this.#raising.delete(key);
    }
  }

  /** Notes what the owner asks now, for offers that are up and those that are on their way. */
  want(plans: readonly OfferPlan[]): void {
    this.#asks.want(plans);
  }

  /** Brings an offer to what the owner asks now, here and at the broker. */
  async reprice(stand: Asking, patiently: Patience): Promise<void> {
    const tell = (offer: Offer): Promise<unknown> =>
      patiently((signal) => this.#broker.updateInstance(offer.instance, offer, signal));
    await this.#asks.apply(stand, tell);
  }

  /** Goes off the market; a failure is only told. */
  async takeDown(offer: Offer, why: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#broker.stopInstance(offer.instance, signal);
    } catch (thrown) {
      const error = asAgentError(thrown);
      this.#log.warn(
        { offer: offer.key, code: error.code },
        `offer not taken down at the broker: ${error.message}`,
      );
    }
    this.#observe({ kind: 'offer-down', offer, why });
  }

  /** Tells the broker that an image is here; a failure is only told. */
  async tellImage(offer: Offer, registryPath: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#soon(signal, () => this.#broker.addImage(offer.instance, registryPath, signal));
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
    this.#observe({ kind: 'offer-up', offer });
    return offer;
  }

  /** Repeats for a minute what passes by itself. */
  #soon<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    const monotonic = (): number => this.#clock.monotonic();
    const again = (error: AgentError, elapsedMs: number): boolean =>
      isPassing(error) && elapsedMs < TELL_PATIENCE_MS;
    return withRetry({ shape: BACKOFF.lookup, signal, random: this.#random, monotonic, again }, call);
  }

  async #known(plan: OfferPlan, signal: AbortSignal): Promise<Instance | undefined> {
    const remembered = this.#journal.instance(plan.key);
    const instance = remembered === undefined ? undefined : await this.#broker.instance(remembered, signal);
    if (instance !== undefined) return instance;
    const { invalid, items } = await this.#broker.instances(signal);
    this.#complaints.about(invalid);
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
