import { fixedAsk } from '../../src/pricing/fixed-ask.ts';
import { type StrategyName, strategyOf } from '../../src/pricing/strategy/strategies.ts';
import { bootstrap, type Interval } from './bootstrap.ts';
import { type Market, marketOf } from './market.ts';
import type { Shape } from './shapes.ts';
import { type Outcome, type OwnHost, simulate } from './simulate.ts';
import { StrategyPricing } from './strategy-pricing.ts';

/** A GPU that takes 250 W more at work, on a broker without a fee. */
export const HOST: OwnHost = { slots: 1, marginalW: 250, brokerFee: 0 };

/** The owner's default. */
const FLOOR_MARGIN = 1.5;

/** Fixed asks that are tried in hindsight: the one of `setup` in steps of 12 % down to a quarter and up to four times. */
const HINDSIGHT = Array.from({ length: 25 }, (_, step) => 1.12 ** (step - 12));

/** Markets that differ by chance alone. */
export type MarketKind = { readonly name: string; readonly of: (seed: number) => Market };

/** What is compared. */
export type Contest = {
  readonly markets: readonly MarketKind[];
  readonly strategies: readonly StrategyName[];
  readonly seeds: readonly number[];
  readonly host: OwnHost;
};

/** The markets of a shape, of so many days. */
export function ofShape(shape: Shape, days: number): MarketKind {
  return { name: shape.name, of: (seed) => marketOf(shape, seed, days) };
}

/** How a strategy did on the markets of one kind. Money is US dollars, the mean over the seeds. */
export type Standing = {
  readonly shape: string;
  readonly strategy: StrategyName;
  readonly net: number;
  /** On the market of each seed. */
  readonly nets: readonly number[];
  /** Its net to that of the fixed ask of `setup`, and to that of the best fixed ask in hindsight on each market. */
  readonly toFixed: Interval;
  readonly toBest: Interval;
  readonly changes: number;
  readonly jobs: number;
  readonly busyShare: number;
  /** Jobs that were sold for less than their power cost, by its true course. */
  readonly belowCost: number;
};

/** Runs each strategy on the same markets; one kind after another. Pure. */
export function* contest({ host, markets: kinds, seeds, strategies }: Contest): Generator<Standing, void> {
  for (const { name, of } of kinds) {
    const markets = seeds.map((seed) => ({ seed, market: of(seed) }));
    const slotMs = host.slots * Math.max(...markets.map(({ market }) => market.endsAt));
    const run = (strategy: StrategyName): readonly Outcome[] =>
      markets.map(({ market, seed }) => outcomeOf(market, host, strategy, seed));
    const fixed = run('fixed');
    const best = markets.map(({ market, seed }) => bestFixed(market, host, seed));
    for (const strategy of strategies) {
      const outcomes = strategy === 'fixed' ? fixed : run(strategy);
      yield standingOf(name, strategy, outcomes, fixed, best, slotMs);
    }
  }
}

function standingOf(
  shape: string,
  strategy: StrategyName,
  outcomes: readonly Outcome[],
  fixed: readonly Outcome[],
  best: readonly number[],
  slotMs: number,
): Standing {
  const nets = outcomes.map(({ net }) => net);
  const mean = (of: (outcome: Outcome) => number): number =>
    outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length;
  return {
    shape,
    strategy,
    net: mean(({ net }) => net),
    nets,
    toFixed: bootstrap(
      nets,
      fixed.map(({ net }) => net),
    ),
    toBest: bootstrap(nets, best),
    changes: mean(({ changes }) => changes),
    jobs: mean(({ jobs }) => jobs.length),
    busyShare: (mean(({ busyMinutes }) => busyMinutes) * 60_000) / slotMs,
    belowCost: outcomes.reduce((sum, { jobs }) => sum + jobs.filter(isBelowCost).length, 0),
  };
}

/** By what the job's power really cost, hour by hour: the floor is an estimate that was made before it ran. */
function isBelowCost({ ask, from, powerCost, until }: Outcome['jobs'][number]): boolean {
  return (ask * (until - from)) / 60_000 < powerCost;
}

/** One market, priced by a strategy that begins at the ask of `setup`. */
export function outcomeOf(market: Market, host: OwnHost, strategy: StrategyName, seed: number): Outcome {
  const made = strategyOf(strategy, { floorMargin: FLOOR_MARGIN });
  const pricing = new StrategyPricing(market, host, made, fixedAsk);
  return simulate(market, host, pricing, seed);
}

function bestFixed(market: Market, host: OwnHost, seed: number): number {
  const fixed = strategyOf('fixed', { floorMargin: FLOOR_MARGIN });
  const nets = HINDSIGHT.map((times) => {
    const pricing = new StrategyPricing(market, host, fixed, (asks, floor) =>
      Math.max(floor, times * fixedAsk(asks, floor)),
    );
    return simulate(market, host, pricing, seed).net;
  });
  return Math.max(...nets);
}
