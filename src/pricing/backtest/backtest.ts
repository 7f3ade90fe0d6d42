import { AgentError } from '../../domain/errors.ts';
import { sortInSteps } from '../../domain/sort-in-steps.ts';
import { SeededRandom } from '../../lib/seeded-random.ts';
import type { MicroDollars } from '../money.ts';
import type { AskStep } from './ask-steps.ts';
import { resampled } from './bootstrap.ts';
import { CostCurve, type CostPerMinute } from './cost-curve.ts';
import { checkEnough } from './enough.ts';
import type { Observed } from './observed.ts';
import { type Range, rangeOf } from './range.ts';
import { ReplayMarket } from './replay.ts';
import type { Rules } from './rules.ts';
import { type Counting, daysOf, type Score, type Sums, scoreOf, sumOf, totalOf } from './score.ts';
import { learnUnknown, type Unknown, worldOf } from './unknown.ts';
import { type WalkForward, walkForward } from './walk-forward.ts';

/** What a backtest of one offer is made from. Prices are US dollars per job and minute. */
export type BacktestInput = {
  readonly observed: Observed;
  readonly rules: Rules;
  /** When the market was first looked at; before it nothing is known. */
  readonly knownFrom: number;
  /** For how many milliseconds of `observed` the market was looked at, and jobs could be taken or were paused. */
  readonly coveredMs: number;
  /** What the broker has confirmed for own jobs that were claimed in the time. */
  readonly ledger: MicroDollars;
  /** The asks in force, by what is known of them. */
  readonly inForce: readonly AskStep[];
  readonly askNow: number;
  readonly floor: number | undefined;
  readonly brokerFee: number;
  readonly costPerMinute: CostPerMinute;
  /** Each once. */
  readonly asks: readonly number[];
  /** Repeats a backtest. */
  readonly seed: number;
};

/** What an ask would have brought: 5 % of what may have been is below `low`, 5 % above `high`. Money is micro-dollars. */
export type AskOutcome = {
  readonly ask: number;
  readonly earned: Range;
  /** Undefined: no price of electricity is known. */
  readonly net: Range | undefined;
  readonly jobs: Range;
  /** The part of the slots' time with a job, from 0 to 1. */
  readonly busyShare: Range;
  /** The part of what is earned that jobs of others would have brought, from 0 to 1. */
  readonly extrapolated: number;
};

/** What other asks would have earned, beside what was earned. */
export type Backtest = {
  readonly from: number;
  readonly until: number;
  /** From 0 to 1. */
  readonly coverage: number;
  /** Own jobs, what they earned, and what the replay at the asks in force says. */
  readonly own: { readonly jobs: number; readonly earned: MicroDollars; readonly replayed: MicroDollars };
  readonly runs: number;
  readonly draws: number;
  readonly asks: readonly AskOutcome[];
  readonly askNow: number;
  readonly floor: number | undefined;
  readonly walkForward: WalkForward | undefined;
};

/** The replay at the ask in force may differ from the ledger by so much. */
const TOLERANCE = 0.1;
const CALIBRATION_DRAWS = 5;
const MAX_DRAWS = 60;
const MIN_DRAWS = 20;
/** With more runs fewer worlds are drawn, so that a month of a large market takes seconds. */
const RUNS_IN_ALL = 12_000_000;

/**
 * Replays a market at each ask. Throws BACKTEST_TOO_LITTLE, and BACKTEST_UNCALIBRATED where the replay at the asks in force
 * differs from the ledger by more than 10 %. Pure: the seed repeats it. A `yield` follows each small part of the work.
 */
export function* backtest(input: BacktestInput): Generator<void, Backtest> {
  const { asks, askNow, brokerFee, costPerMinute, floor, inForce, rules } = input;
  checkEnough(input);
  const observed = yield* inOrder(input.observed);
  const { from, until } = observed;
  const random = new SeededRandom(input.seed);
  const unknown = yield* learnUnknown(observed, inForce, rules, Math.min(...asks), () => random.next());
  const maxStay = unknown.stays.reduce((most, one) => Math.max(most, one), 0);
  const market = yield* ReplayMarket.of(unknown.observed, rules, unknown.unseen, maxStay);
  const costs = CostCurve.of(costPerMinute, from, until);
  const draw = (at: number | readonly AskStep[], draws: number): Generator<void, readonly Score[]> =>
    scores(market, at, draws, { unknown, counting: { from, until, costs }, seed: input.seed });
  const calibration = yield* draw(inForce, CALIBRATION_DRAWS);
  const replayed = rangeOf(calibration.map(({ blocks }) => totalOf(blocks).earned)).median;
  checkCalibration(replayed, input.ledger);
  const before = totalOf(calibration[0]?.blocks ?? []);
  const perAsk = RUNS_IN_ALL / (asks.length + 1) / (observed.seen.length + 1_000);
  const draws = Math.round(Math.min(MAX_DRAWS, Math.max(MIN_DRAWS, perAsk)));
  const found = new Map<number, readonly Score[]>();
  for (const ask of new Set([...asks, askNow, ...(floor === undefined ? [] : [floor])]))
    found.set(ask, yield* draw(ask, draws));
  const isNetKnown = costs !== undefined;
  const netOf = ({ cost, earned }: Pick<Sums, 'cost' | 'earned'>): MicroDollars =>
    isNetKnown ? Math.round(earned * (1 - brokerFee)) - cost : earned;
  const daysAt = (ask: number): { ask: number; days: readonly MicroDollars[] } => ({
    ask,
    days: meanOfDays(found.get(ask) ?? [], netOf),
  });
  const by = {
    before,
    netOf: isNetKnown ? netOf : undefined,
    slotMs: observed.slots * (until - from),
    random,
  };
  return {
    from,
    until,
    coverage: input.coveredMs / (until - from),
    own: { jobs: ownJobs(observed), earned: input.ledger, replayed },
    runs: observed.seen.length,
    draws,
    asks: asks.map((ask) => outcomeOf(ask, found.get(ask) ?? [], by)),
    askNow,
    floor,
    walkForward: walkForward(
      asks.map(daysAt),
      daysAt(askNow),
      floor === undefined ? undefined : daysAt(floor),
    ),
  };
}

/** So that the order of the input makes no difference. */
function* inOrder(observed: Observed): Generator<void, Observed> {
  const own = yield* sortInSteps(observed.own, (a, b) => a.from - b.from || compare(a.run, b.run));
  const seen = yield* sortInSteps(
    observed.seen,
    (a, b) => a.firstSeen - b.firstSeen || compare(a.run, b.run),
  );
  return { ...observed, own, seen };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** One score for each world; the worlds are the same at each ask. */
function* scores(
  market: ReplayMarket,
  asks: number | readonly AskStep[],
  draws: number,
  by: { readonly unknown: Unknown; readonly counting: Counting; readonly seed: number },
): Generator<void, readonly Score[]> {
  const replay = yield* market.at(asks);
  const found: Score[] = [];
  for (let draw = 0; draw < draws; draw += 1) {
    const random = new SeededRandom(by.seed + 1 + draw);
    found.push(
      yield* scoreOf(
        replay,
        worldOf(by.unknown, () => random.next()),
        by.counting,
      ),
    );
  }
  return found;
}

/** Throws BACKTEST_UNCALIBRATED. */
function checkCalibration(replayed: MicroDollars, ledger: MicroDollars): void {
  if (Math.abs(replayed - ledger) <= TOLERANCE * Math.abs(ledger)) return;
  const shown = (amount: MicroDollars): string => `$${(amount / 1_000_000).toFixed(2)}`;
  throw new AgentError(
    'BACKTEST_UNCALIBRATED',
    `at the asks in force the replay earns ${shown(replayed)}, and the ledger says ${shown(ledger)}: they differ by more than 10 %`,
  );
}

type Measure = {
  readonly before: Sums;
  readonly netOf: ((sums: Pick<Sums, 'cost' | 'earned'>) => MicroDollars) | undefined;
  readonly slotMs: number;
  readonly random: SeededRandom;
};

function outcomeOf(
  ask: number,
  scored: readonly Score[],
  { before, netOf, random, slotMs }: Measure,
): AskOutcome {
  const drawn = scored.map((score) => resampled(score, before, ask, () => random.next()));
  const blocks = scored.flatMap((score) => score.blocks);
  const { earned } = totalOf(blocks);
  return {
    ask,
    earned: rangeOf(drawn.map((one) => one.earned)),
    net: netOf && rangeOf(drawn.map(netOf)),
    jobs: rangeOf(drawn.map(({ jobs }) => jobs)),
    busyShare: rangeOf(drawn.map(({ busyMs }) => Math.min(1, busyMs / slotMs))),
    extrapolated: earned === 0 ? 0 : sumOf(blocks.map(({ imputed }) => imputed)).earned / earned,
  };
}

function meanOfDays(
  scored: readonly Score[],
  netOf: (sums: Pick<Sums, 'cost' | 'earned'>) => MicroDollars,
): readonly MicroDollars[] {
  const each = scored.map(({ blocks }) => daysOf(blocks).map(netOf));
  return (each[0] ?? []).map((_, day) =>
    Math.round(each.reduce((sum, days) => sum + (days[day] ?? 0), 0) / each.length),
  );
}

function ownJobs({ from, own, until }: Observed): number {
  return own.filter((job) => job.from >= from && job.from < until).length;
}
