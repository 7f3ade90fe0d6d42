import { asAgentError } from '../../domain/errors.ts';
import type { OfferPlan } from '../../domain/offer.ts';
import type { HostClock } from '../../domain/ports/clock.ts';
import type { PriceFreeze, PriceStore, PricingState } from '../../domain/ports/price-store.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { inSlices } from '../../lib/slices.ts';
import type { Observed } from '../../pricing/backtest/observed.ts';
import { type AskLimits, type LimitedAsk, limitReason, nextAsk } from '../../pricing/strategy/next-ask.ts';
import type { StrategyName } from '../../pricing/strategy/strategies.ts';
import type { ChangeReason, HoldReason, Situation, Strategy } from '../../pricing/strategy/strategy.ts';
import type { Observer } from '../events/events.ts';
import type { Giver } from '../holds/owner-control.ts';
import { type AskTime, dueInMs } from './ask-timing.ts';
import { raiseAsk, steadyLimits, withHeadroom } from './floor-steps.ts';
import { idleLater, idleOfSlots, idleSinceJobs, type SlotUse } from './slot-idleness.ts';
import { unmetNeed } from './unmet-need.ts';

/** Between two checks of slots and floors, in milliseconds. */
const CHECK_MS = 60_000;
/** Longer between two checks nothing is known of: the host slept. */
const MAX_GAP_MS = 2 * CHECK_MS;
/** A timer may be early by a millisecond. */
const MIN_WAIT_MS = 5;
/** Assumed where nobody knows: see `paidShareOf`. */
const PAID_SHARE = 0.9;

/** What the owner sets for an offer. Prices are US dollars per job and minute. */
export type AskSettings = {
  readonly strategy: StrategyName;
  readonly min: number | undefined;
  readonly max: number | undefined;
  readonly floorMargin: number;
};

/** What a job of an offer costs. Prices are US dollars per job and minute. */
export type OfferCost = {
  readonly floor: number;
  readonly costPerMinute: number;
  /** The part of busy minutes that is paid. */
  readonly paidShare: number;
  /** Prices of electricity are not known any more. */
  readonly isStale: boolean;
};

/** What is known of the market of an offer. */
export type MarketSight = {
  readonly others: readonly number[];
  readonly observed: () => Observed | undefined;
  readonly isStale: boolean;
};

export type PricerDeps = {
  readonly prices: PriceStore;
  readonly settings: (offer: OfferPlan) => AskSettings;
  readonly strategy: (settings: AskSettings) => Strategy;
  /** Undefined: not known. */
  readonly cost: (offer: OfferPlan) => OfferCost | undefined;
  /** Undefined: nothing is known of it. */
  readonly market: (offer: OfferPlan, signal: AbortSignal) => Promise<MarketSight | undefined>;
  /** What the slots of an offer do; empty: it is not registered yet. */
  readonly slots: (offer: string) => readonly SlotUse[];
  /** Asks this much from now on. */
  readonly apply: (plan: OfferPlan) => void;
  readonly clock: HostClock;
  readonly log: Log;
  readonly observe: Observer;
};

type Priced = {
  plan: OfferPlan;
  settings: AskSettings;
  state: PricingState;
  slots: readonly SlotUse[];
  hold: HoldReason | undefined;
  /** The owner wants another price or strategy, which is not on disk yet. */
  isRestarted: boolean;
};

/** What an offer asks and why, for people. */
export type PricedOfferView = {
  readonly offer: string;
  readonly slots: OfferPlan['slots'];
  readonly settings: AskSettings;
  readonly state: PricingState;
  readonly cost: OfferCost | undefined;
  readonly hold: HoldReason | undefined;
  /** When the strategy may change the ask, by the wall clock; undefined: not as long as it is held. */
  readonly nextChangeAt: number | undefined;
};

/** Sets what offers ask: the strategy's choice within the owner's limits, never below what a job costs. On disk first. */
export class Pricer {
  readonly #deps: PricerDeps;
  readonly #startedAt: number;
  readonly #offers = new Map<string, Priced>();
  readonly #woken = new Notifier();
  readonly #problems = new OncePerChange();
  #freeze: PriceFreeze | undefined;
  #checkedAt: number;

  /** Throws JOURNAL_UNUSABLE. */
  constructor(deps: PricerDeps) {
    this.#deps = deps;
    this.#startedAt = deps.clock.monotonic();
    this.#checkedAt = this.#startedAt;
    this.#freeze = deps.prices.freeze();
  }

  /** Takes offers as they are configured now; answers them with the asks in force. Throws JOURNAL_UNUSABLE for new offers only. */
  configure(plans: readonly OfferPlan[]): readonly OfferPlan[] {
    const priced = plans.map((plan) => {
      const known = this.#offers.get(plan.key);
      const offer = known === undefined ? this.#begin(plan) : this.#reconfigure(known, plan);
      return { ...plan, askPrice: offer.state.ask };
    });
    this.#woken.notify();
    return priced;
  }

  get frozen(): PriceFreeze | undefined {
    return this.#freeze;
  }

  /** Stops all changes of asks by strategies and floors. Answers whether that is new. Throws JOURNAL_UNUSABLE. */
  freeze(note: string | undefined, { by, from }: Giver): boolean {
    if (this.#freeze !== undefined) return false;
    const freeze = { at: this.#deps.clock.now(), by, note };
    const detail = JSON.stringify({ note });
    this.#deps.prices.setFreeze(freeze, { at: freeze.at, by, from, action: 'price-freeze', detail });
    this.#freeze = freeze;
    this.#deps.observe({ kind: 'asks-frozen', by, from, note });
    return true;
  }

  /** Lets asks change again. Answers whether that is new. Throws JOURNAL_UNUSABLE. */
  unfreeze({ by, from }: Giver): boolean {
    if (this.#freeze === undefined) return false;
    const at = this.#deps.clock.now();
    this.#deps.prices.setFreeze(undefined, { at, by, from, action: 'price-unfreeze', detail: '{}' });
    this.#freeze = undefined;
    this.#deps.observe({ kind: 'asks-unfrozen', by, from });
    this.#woken.notify();
    return true;
  }

  /** What each offer asks. */
  get views(): readonly PricedOfferView[] {
    const now = this.#now;
    return [...this.#offers.values()].map(({ hold, plan, settings, state }) => {
      const shown = this.#freeze === undefined ? hold : 'frozen';
      const dueAt = now.wall + dueInMs(state, now);
      return {
        offer: plan.key,
        slots: plan.slots,
        settings,
        state,
        cost: this.#deps.cost(plan),
        hold: shown,
        nextChangeAt: shown === undefined && !this.#isFixed(settings) ? dueAt : undefined,
      };
    });
  }

  /** Follows floors and asks strategies until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.check(signal);
      await this.#woken.wait(signal, this.#waitMs());
    }
  }

  /** Raises asks to floors that have risen, and asks the strategies whose hour has come. */
  async check(signal: AbortSignal): Promise<void> {
    const now = this.#deps.clock.monotonic();
    const ms = Math.min(now - this.#checkedAt, MAX_GAP_MS);
    this.#checkedAt = now;
    for (const offer of this.#offers.values()) {
      const { key } = offer.plan;
      try {
        if (offer.isRestarted) this.#apply(this.#restart(offer));
        this.#countIdle(offer, ms);
        this.#followFloor(offer);
        if (dueInMs(offer.state, this.#now) <= 0) await this.#ask(offer, signal);
        this.#problems.forget(key);
      } catch (thrown) {
        if (!signal.aborted) this.#logFailed(key, thrown);
      }
    }
  }

  #logFailed(offer: string, thrown: unknown): void {
    const { code, message } = asAgentError(thrown);
    if (this.#problems.isNew(code, offer))
      this.#deps.log.warn({ event: 'pricing-failed', offer, code }, `ask stays as it is: ${message}`);
  }

  #begin(plan: OfferPlan): Priced {
    const { prices } = this.#deps;
    const settings = this.#deps.settings(plan);
    const stored = prices.state(plan.key);
    const isSame = stored?.strategy === settings.strategy && stored.start === plan.askPrice;
    const state = isSame ? stored : this.#fresh(plan, settings, plan.askPrice);
    const offer: Priced = { plan, settings, state, slots: [], hold: undefined, isRestarted: false };
    this.#offers.set(plan.key, offer);
    if (stored !== undefined && !isSame) {
      offer.state = { ...state, ask: stored.ask };
      this.#restart(offer);
    } else this.#limit(offer);
    return offer;
  }

  #reconfigure(offer: Priced, plan: OfferPlan): Priced {
    const settings = this.#deps.settings(plan);
    const { strategy } = offer.settings;
    const isSame = strategy === settings.strategy && offer.state.start === plan.askPrice;
    offer.plan = plan;
    offer.settings = settings;
    offer.isRestarted ||= !isSame;
    try {
      if (offer.isRestarted) this.#restart(offer);
      else this.#limit(offer);
    } catch (thrown) {
      this.#logFailed(plan.key, thrown);
    }
    return offer;
  }

  /** The owner wants another price or strategy: it begins with the price. */
  #restart(offer: Priced): Priced {
    const { plan, settings, state } = offer;
    const fresh = this.#fresh(plan, settings, state.ask);
    const limited = raiseAsk(plan.askPrice, this.#limitsOf(offer));
    this.#change(offer, limited, 'configured', { ...fresh, idleMs: state.idleMs });
    offer.isRestarted = false;
    return offer;
  }

  /** Keeps the ask within limits that may be other ones than before. */
  #limit(offer: Priced): void {
    if (this.#freeze !== undefined) return;
    const limited = raiseAsk(offer.state.ask, this.#limitsOf(offer));
    if (limited.ask !== offer.state.ask) this.#change(offer, limited, limitReason(offer.state.ask, limited));
  }

  #fresh({ key, askPrice }: OfferPlan, { strategy }: AskSettings, ask: number): PricingState {
    const seenSeq = this.#deps.prices.lastSeq();
    const { boot, wall } = this.#now;
    const askedAt = { wall, boot };
    return {
      offer: key,
      strategy,
      start: askPrice,
      ask,
      memory: {},
      terms: {},
      askedAt,
      idleMs: {},
      seenSeq,
    };
  }

  #countIdle(offer: Priced, ms: number): void {
    const { plan, settings, slots, state } = offer;
    offer.slots = this.#deps.slots(plan.key);
    // A fixed ask needs nothing of it, and an offer that is not registered yet has no slots.
    if (this.#isFixed(settings) || offer.slots.length === 0) return;
    offer.state = { ...state, idleMs: idleLater(state.idleMs, slots, offer.slots, ms) };
    this.#deps.prices.save(offer.state);
  }

  #followFloor(offer: Priced): void {
    if (this.#freeze !== undefined) return;
    const limits = this.#limitsOf(offer);
    this.#noteFloorAboveMax(offer, limits);
    const limited = raiseAsk(offer.state.ask, limits);
    if (limited.ask <= offer.state.ask) return;
    this.#change(offer, limited, 'floor-rose');
    this.#apply(offer);
  }

  #noteFloorAboveMax({ plan }: Priced, { floor, max }: AskLimits): void {
    const isAbove = floor !== undefined && max !== undefined && floor > max;
    if (!isAbove) this.#problems.forget(`${plan.key} floor`);
    else if (this.#problems.isNew('above', `${plan.key} floor`))
      this.#deps.observe({ kind: 'floor-above-max', offer: plan.key, floor, max });
  }

  async #ask(offer: Priced, signal: AbortSignal): Promise<void> {
    const { plan, settings } = offer;
    const strategy = this.#deps.strategy(settings);
    const sight = strategy.isFixed ? undefined : await this.#deps.market(plan, signal);
    if (signal.aborted || this.#isOther(offer, plan, settings)) return;
    const cost = this.#deps.cost(plan);
    this.#hold(offer, this.#freeze === undefined ? unmetNeed(strategy, cost, sight) : 'frozen');
    if (offer.hold !== undefined) return;
    const now = this.#now;
    const limits = steadyLimits(offer.state.ask, this.#limitsOf(offer));
    const { jobs, seq } = this.#deps.prices.endedAfter(plan.key, offer.state.seenSeq);
    const idleMs = idleSinceJobs(offer.state.idleMs, jobs, now.wall);
    const situation: Situation = {
      now: now.wall,
      ask: offer.state.ask,
      start: plan.askPrice,
      ...limits,
      lastChangeAt: offer.state.changedAt?.wall,
      idleMs: idleOfSlots(idleMs, offer.slots),
      others: sight?.others ?? [],
      ended: jobs,
      observed: sight?.observed ?? (() => undefined),
      paidShare: cost?.paidShare ?? PAID_SHARE,
      costPerMinute: cost?.costPerMinute,
    };
    const next = await inSlices(nextAsk(strategy, situation, offer.state.memory));
    if (signal.aborted || this.#freeze !== undefined || this.#isOther(offer, plan, settings)) return;
    const { memory, reason, terms, ...chosen } = next;
    const askedAt = { wall: now.wall, boot: now.boot };
    const asked = { ...offer.state, memory, terms, askedAt, idleMs, seenSeq: seq };
    if (reason !== undefined) {
      // A change that cannot be written is chosen again, so the strategy must not remember it.
      this.#change(offer, withHeadroom(chosen, limits), reason, asked);
      this.#apply(offer);
    } else {
      if (!strategy.isFixed) this.#deps.prices.save(asked);
      offer.state = asked;
    }
  }

  /** Whether the owner has set another price or strategy meanwhile. */
  #isOther(offer: Priced, plan: OfferPlan, settings: AskSettings): boolean {
    return offer.plan !== plan || offer.settings !== settings;
  }

  #hold(offer: Priced, hold: HoldReason | undefined): void {
    if (offer.hold === hold) return;
    offer.hold = hold;
    this.#deps.observe({ kind: 'ask-strategy-held', offer: offer.plan.key, hold });
  }

  /** Writes a change before it counts. */
  #change(
    offer: Priced,
    { ask, limitedBy }: LimitedAsk,
    reason: ChangeReason,
    state: PricingState = offer.state,
  ): void {
    const { observe, prices } = this.#deps;
    const { plan, settings } = offer;
    const before = state.ask;
    const { boot, wall } = this.#now;
    const isCounted = reason !== 'floor-rose' && ask !== before;
    const next = { ...state, ask, changedAt: isCounted ? { wall, boot } : state.changedAt };
    if (before === ask) {
      prices.save(next);
      offer.state = next;
      return;
    }
    const { floor } = this.#limitsOf(offer);
    const terms = { ...state.terms, ...(floor === undefined ? {} : { floor }) };
    const { strategy } = settings;
    const change = { at: wall, offer: plan.key, before, ask, strategy, reason, limitedBy, terms };
    prices.save(next, change);
    offer.state = next;
    observe({ kind: 'ask-changed', ...change });
  }

  #isFixed(settings: AskSettings): boolean {
    return this.#deps.strategy(settings).isFixed === true;
  }

  #apply({ plan, state }: Priced): void {
    this.#deps.apply({ ...plan, askPrice: state.ask });
  }

  #limitsOf({ plan, settings }: Priced): AskLimits {
    const { max, min } = settings;
    return { floor: this.#deps.cost(plan)?.floor, max, min };
  }

  #waitMs(): number {
    const now = this.#now;
    const due = [...this.#offers.values()].map(({ state }) => dueInMs(state, now));
    // One that is due already is held, and may be held for long.
    return Math.max(MIN_WAIT_MS, Math.min(CHECK_MS, ...due.filter((ms) => ms > 0)));
  }

  get #now(): AskTime {
    const { clock } = this.#deps;
    return { wall: clock.now(), boot: clock.bootTime(), uptimeMs: clock.monotonic() - this.#startedAt };
  }
}
