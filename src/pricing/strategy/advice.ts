import type { Observed } from '../backtest/observed.ts';
import { replay, type Sales } from '../backtest/replay.ts';

/** What an ask would have brought, by the replay of what was observed. Money is US dollars. */
export type AskValue = {
  readonly ask: number;
  /** Earned, less what the work cost. */
  readonly net: number;
  readonly busyShare: number;
  readonly jobs: number;
};

/** The best ask that was found, beside the one in force. */
export type Advice = {
  readonly best: AskValue;
  readonly now: AskValue;
  /** Every ask that was tried, lowest first. */
  readonly tried: readonly AskValue[];
};

/** Asks are tried in steps of so much, up to so many below and above the one in force, or the floor above it. */
const STEP = 1.12;
const STEPS = 9;
/** Durations of others' jobs are drawn; the mean of a few draws is steadier. */
const DRAWS = 2;
/** With fewer own jobs the replay says little: how long jobs take, and which fail, is known from them alone. */
export const ENOUGH_JOBS = 20;

/**
 * Which ask would have earned most in the time that was observed: `argmax (ask - cost) x paid minutes`, by selling the slots
 * again at each. Undefined with too few jobs of this host. Never below `floor`. Pure but for `random`.
 */
export function adviseAsk(
  observed: Observed,
  ask: number,
  { costPerMinute, floor }: { readonly costPerMinute: number; readonly floor: number },
  random: () => number,
): Advice | undefined {
  if (observed.own.length < ENOUGH_JOBS) return undefined;
  const valueOf = (tried: number): AskValue => {
    const draws = Array.from({ length: DRAWS }, () => replay(observed, tried, random));
    return meanValue(tried, draws, observed, costPerMinute);
  };
  const start = Math.max(ask, floor);
  const asks = Array.from({ length: 2 * STEPS + 1 }, (_, step) => start * STEP ** (step - STEPS));
  const tried = asks.filter((one) => one >= floor).map(valueOf);
  const first = tried.find((value) => value.ask === start) ?? valueOf(start);
  const best = tried.reduce((a, b) => (b.net > a.net ? b : a), first);
  return { best, now: start === ask ? first : valueOf(ask), tried };
}

function meanValue(
  ask: number,
  draws: readonly Sales[],
  { from, slots, until }: Observed,
  costPerMinute: number,
): AskValue {
  const mean = (of: (sales: Sales) => number): number =>
    draws.reduce((sum, sales) => sum + of(sales), 0) / draws.length;
  const busyMs = mean((sales) => sales.busyMs);
  return {
    ask,
    net: mean((sales) => sales.earned) - (costPerMinute * busyMs) / 60_000,
    busyShare: busyMs / (slots * (until - from)),
    jobs: mean((sales) => sales.jobs),
  };
}
