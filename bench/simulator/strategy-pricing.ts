import { finish } from '../../src/lib/slices.ts';
import type { Observed, OwnJob as ObservedJob } from '../../src/pricing/backtest/observed.ts';
import { floorOf, paidShareOf } from '../../src/pricing/floor.ts';
import { ADVICE_DAYS } from '../../src/pricing/strategy/advise.ts';
import { nextAsk } from '../../src/pricing/strategy/next-ask.ts';
import type { Memory, Strategy } from '../../src/pricing/strategy/strategy.ts';
import type { Market } from './market.ts';
import type { OwnHost, OwnJob, Pricing, Seen } from './simulate.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const HISTORY_MS = ADVICE_DAYS * 24 * HOUR_MS;

/** A job is priced by the electricity of so long, until there are own jobs to go by. */
const USUAL_MINUTES = 20;
const LONG_JOB = 0.8;
const ENOUGH_JOBS = 5;

/** Prices our host as the agent's pricer does: by a strategy, within its limits, once an hour. */
export class StrategyPricing implements Pricing {
  readonly #market: Market;
  readonly #host: OwnHost;
  readonly #strategy: Strategy;
  /** The owner's ask, by the floor and the asks of others. */
  readonly #startOf: (others: readonly number[], floor: number) => number;
  #start: number | undefined;
  #ask = 0;
  #memory: Memory = {};
  #own: OwnJob[] = [];
  #busyMinutes = 0;
  #paidMinutes = 0;
  #paidShare = paidShareOf(0, 0);
  /** How long most jobs take, by function; undefined: any. */
  readonly #long = new Map<string | undefined, number>();
  #lastChangeAt: number | undefined;

  constructor(
    market: Market,
    host: OwnHost,
    strategy: Strategy,
    startOf: (others: readonly number[], floor: number) => number,
  ) {
    this.#market = market;
    this.#host = host;
    this.#strategy = strategy;
    this.#startOf = startOf;
  }

  ask({ ended, idleMs, now, others, seen }: Seen): number {
    this.#add(ended, now);
    const floor = this.#floorAt(now, this.#longMs());
    const start = (this.#start ??= this.#startOf(others, floor.perMinute));
    const before = this.#ask || start;
    const steps = nextAsk(
      this.#strategy,
      {
        now,
        ask: before,
        start,
        floor: floor.perMinute,
        min: undefined,
        max: undefined,
        lastChangeAt: this.#lastChangeAt,
        idleMs,
        others,
        ended,
        observed: () => this.#observed(seen, now),
        paidShare: this.#paidShare,
        costPerMinute: floor.power + floor.wear,
      },
      this.#memory,
    );
    const next = finish(steps);
    if (next.ask !== before) this.#lastChangeAt = now;
    this.#ask = next.ask;
    this.#memory = next.memory;
    return next.ask;
  }

  /** What a minute of a function's job is expected to cost if it begins now. */
  floor(functionUuid: string, now: number): number {
    return this.#floorAt(now, this.#longMs(functionUuid)).perMinute;
  }

  #add(ended: readonly OwnJob[], now: number): void {
    this.#own = [...this.#own.filter(({ until }) => until > now - HISTORY_MS), ...ended];
    for (const { from, isPaid, until } of ended) {
      const minutes = (until - from) / MINUTE_MS;
      this.#busyMinutes += minutes;
      this.#paidMinutes += isPaid ? minutes : 0;
    }
    this.#paidShare = paidShareOf(this.#paidMinutes, this.#busyMinutes);
    if (ended.length > 0) this.#long.clear();
  }

  #floorAt(now: number, longMs: number) {
    return floorOf({
      marginalW: this.#host.marginalW,
      dollarsPerKWh: this.#dollarsPerKWh(now, now + longMs),
      wearPerHour: 0,
      brokerFee: this.#host.brokerFee,
      paidShare: this.#paidShare,
    });
  }

  /** Most of our jobs of a function end within so long; of all functions where one has few, or none is given. */
  #longMs(functionUuid?: string): number {
    const known = this.#long.get(functionUuid);
    if (known !== undefined) return known;
    const alike = this.#own.filter(({ run }) => functionUuid === undefined || run.function === functionUuid);
    const sorted = Float64Array.from(alike, ({ from, until }) => until - from).sort();
    const own = sorted[Math.floor(sorted.length * LONG_JOB)];
    const isEnough = functionUuid === undefined || sorted.length >= ENOUGH_JOBS;
    const long = (isEnough ? own : this.#longMs()) ?? USUAL_MINUTES * MINUTE_MS;
    this.#long.set(functionUuid, long);
    return long;
  }

  /** The mean over a time, by the tariff of each hour. */
  #dollarsPerKWh(from: number, until: number): number {
    let sum = 0;
    for (let at = from; at < until; ) {
      const end = Math.min(until, (Math.floor(at / HOUR_MS) + 1) * HOUR_MS);
      sum += this.#market.shape.dollarsPerKWh(Math.floor(at / HOUR_MS) % 24) * (end - at);
      at = end;
    }
    return sum / (until - from);
  }

  #observed(seen: Seen['seen'], now: number): Observed {
    const from = Math.max(0, now - HISTORY_MS);
    return {
      from,
      until: now,
      slots: this.#host.slots,
      seen: [...seen].filter(({ lastSeen }) => lastSeen >= from),
      own: this.#own.map(observedJob),
    };
  }
}

/** How the agent sees a simulated job. */
export function observedJob({ ask, earned, from, isPaid, run, until }: OwnJob): ObservedJob {
  return {
    run: run.uuid,
    function: run.function,
    image: 'image',
    bid: run.bid,
    from,
    until,
    ask,
    earned,
    isPaid,
  };
}
