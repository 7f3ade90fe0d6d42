import { asksOf, type Market, marketOf } from '../../../bench/simulator/market.ts';
import type { Shape } from '../../../bench/simulator/shapes.ts';
import { type Outcome, simulate } from '../../../bench/simulator/simulate.ts';
import { observedJob } from '../../../bench/simulator/strategy-pricing.ts';
import { ofOthers } from '../../../src/control/backtest-input.ts';
import { finish } from '../../../src/lib/slices.ts';
import type { AskStep } from '../../../src/pricing/backtest/ask-steps.ts';
import { type Backtest, type BacktestInput, backtest } from '../../../src/pricing/backtest/backtest.ts';
import type { Observed, SeenRun } from '../../../src/pricing/backtest/observed.ts';
import { TAKE_ALL } from '../../../src/pricing/backtest/rules.ts';
import { fixedAsk } from '../../../src/pricing/fixed-ask.ts';
import { microDollars } from '../../../src/pricing/money.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const FLOOR = 0.002;

/** A simulated market with our host on it, recorded as the agent would record it. */
export class RecordedMarket {
  /** What `setup` would have proposed. */
  readonly ask: number;
  readonly observed: Observed;
  /** The runs with all jobs that were open, also those that our host claimed then. */
  readonly seen: readonly SeenRun[];
  /** What the broker paid, in US dollars, until the end of the recording. */
  readonly earned: number;
  /** The asks in force, as they changed. */
  readonly inForce: readonly AskStep[];
  readonly #market: Market;
  readonly #slots: number;
  readonly #seed: number;

  /** `asks`: times the ask that `setup` would have proposed, hour by hour and again from the first after the last. */
  constructor(shape: Shape, seed: number, { asks = [1], days = 7, slots = 1 }: RecordingOptions = {}) {
    this.#market = marketOf(shape, seed, days);
    this.#slots = slots;
    this.#seed = seed;
    this.ask = fixedAsk(asksOf(this.#market), FLOOR);
    let seen: Iterable<SeenRun> = [];
    const askAt = (now: number): number => this.ask * (asks[Math.floor(now / HOUR_MS) % asks.length] ?? 1);
    const outcome = this.#simulate(askAt, (runs) => (seen = runs));
    this.inForce = Array.from({ length: days * 24 }, (_, hour) => ({
      from: hour * HOUR_MS,
      ask: askAt(hour * HOUR_MS),
    }));
    this.seen = [...seen];
    const own = outcome.jobs.map(observedJob);
    this.observed = { from: 0, until: days * DAY_MS, slots, seen: finish(ofOthers(this.seen, own)), own };
    this.earned = this.#earnedBy(outcome);
  }

  /** What another ask would have earned in truth, in US dollars. */
  truth(ask: number): number {
    return this.#earnedBy(this.#simulate(() => ask));
  }

  /** Throws BACKTEST_*. */
  backtest(asks: readonly number[], more: Partial<BacktestInput> = {}): Backtest {
    return finish(
      backtest({
        ...inputOf(this.observed, microDollars(this.earned)),
        inForce: this.inForce,
        askNow: this.ask,
        asks,
        ...more,
      }),
    );
  }

  #simulate(ask: (now: number) => number, onSeen?: (runs: Iterable<SeenRun>) => void): Outcome {
    const host = { slots: this.#slots, marginalW: 300, brokerFee: 0 };
    return simulate(this.#market, host, { ask: ({ now, seen }) => (onSeen?.(seen), ask(now)) }, this.#seed);
  }

  /** A job that runs beyond the end counts until then, as in a replay. */
  #earnedBy({ jobs }: Outcome): number {
    return jobs.reduce(
      (sum, job) => sum + (job.isPaid ? job.ask * minutesUntil(this.observed.until, job) : 0),
      0,
    );
  }
}

type RecordingOptions = {
  readonly asks?: readonly number[];
  readonly days?: number;
  readonly slots?: number;
};

/** A backtest of what was observed all of the time, at the asks that the jobs have. */
export function inputOf(observed: Observed, ledger: number): BacktestInput {
  const { from, own, until } = observed;
  const inForce = own.flatMap((job) => (job.ask === undefined ? [] : [{ from: job.from, ask: job.ask }]));
  return {
    observed,
    rules: TAKE_ALL,
    knownFrom: from,
    coveredMs: until - from,
    ledger,
    inForce,
    askNow: inForce.at(-1)?.ask ?? 0.05,
    floor: undefined,
    brokerFee: 0,
    costPerMinute: () => undefined,
    asks: [0.05],
    seed: 1,
  };
}

function minutesUntil(
  end: number,
  { from, until }: { readonly from: number; readonly until: number },
): number {
  return (Math.min(until, end) - from) / MINUTE_MS;
}
