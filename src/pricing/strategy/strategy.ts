import type { Steps } from '../../lib/slices.ts';
import type { Observed } from '../backtest/observed.ts';

/** Why an ask was changed, with the text that owners see. A strategy adds its own. */
export const CHANGE_REASONS = {
  configured: 'the configuration asks so',
  'floor-rose': 'a job would cost more than the ask before it',
  'limits-changed': '--ask-min or --ask-max was changed',
  'floor-margin': 'the floor times --floor-margin',
  idle: 'slots were idle, and runs were left open below the ask',
  sold: 'a job was sold, so the discount for idle slots ends',
  'demand-above': 'buyers bid enough for a higher ask',
  'demand-below': 'jobs that were left at lower bids are worth more than the ask loses',
  'limit-gone': 'the floor or another limit no longer keeps the ask from where the strategy has it',
  undecided: 'no ask is better by what is known, so the ask goes back towards the configured one',
  advised: 'the replay of the last days earned more at this ask',
} as const;

export type ChangeReason = keyof typeof CHANGE_REASONS;

/** Why a strategy is not asked. */
export const HOLD_REASONS = {
  frozen: 'the owner has frozen all asks',
  'floor-unknown': 'what a job costs is not known: set --electricity-price',
  'floor-stale': 'the prices of electricity are out of date',
  'market-unknown': 'too little of the market is known yet',
  'market-stale': 'what is known of the market is out of date',
} as const;

export type HoldReason = keyof typeof HOLD_REASONS;

/** The text of a reason, which a newer agent may have written. Pure. */
export function changeText(reason: string): string {
  return CHANGE_TEXTS.get(reason) ?? reason;
}

const CHANGE_TEXTS: ReadonlyMap<string, string> = new Map(Object.entries(CHANGE_REASONS));

/** A job of this host that has ended. Times are milliseconds since the epoch, money US dollars. */
export type EndedJob = {
  readonly from: number;
  readonly until: number;
  /** Per minute. */
  readonly ask: number;
  readonly isPaid: boolean;
};

/**
 * What a strategy may know of one offer when its ask may change. Prices are US dollars per job and minute, times
 * milliseconds since the epoch.
 */
export type Situation = {
  readonly now: number;
  /** In force. */
  readonly ask: number;
  /** What the owner configured. */
  readonly start: number;
  /** Below it a job costs more than it brings; undefined: not known. */
  readonly floor: number | undefined;
  readonly min: number | undefined;
  readonly max: number | undefined;
  /** When the ask was changed last, not counting rises to the floor; undefined: never. */
  readonly lastChangeAt: number | undefined;
  /**
   * For each slot that has a job or could take one now, the milliseconds for which it could have taken one and had none,
   * since its last one; 0: it has one. Time that was paused, offline or without the agent does not count.
   */
  readonly idleMs: readonly number[];
  /** What others ask for the same kind of GPU; empty: nobody, or not known. */
  readonly others: readonly number[];
  /** Own jobs that ended since the strategy was asked last. */
  readonly ended: readonly EndedJob[];
  /** What is known of the market of the last days; undefined: too little. Only where the strategy's `needs` say so. */
  readonly observed: () => Observed | undefined;
  /** The part of busy minutes that is paid, above 0 up to 1. */
  readonly paidShare: number;
  /** What a busy minute costs in power and wear; undefined: not known. */
  readonly costPerMinute: number | undefined;
};

/** What a strategy remembers from one time to the next. It is kept in the journal, so it is plain figures. */
export type Memory = Readonly<Record<string, number>>;

/** An ask, which need not be between the owner's limits, and why. */
export type Choice = { readonly ask: number; readonly reason: ChangeReason };

/** What a strategy answers. */
export type Answer = {
  /** Undefined: the ask stays. */
  readonly choice: Choice | undefined;
  readonly memory: Memory;
  /** Figures that explain the answer, by name, units in the names; shown by `price` and kept with a change. */
  readonly terms?: Memory;
};

/** What a strategy cannot do without: while it is stale or absent, the strategy is not asked and the ask stays. */
export type Need = 'floor' | 'market';

/** Chooses asks. Pure: what it needs to remember it hands out and gets back. */
export type Strategy = {
  readonly needs: readonly Need[];
  /** It always chooses the start price, so nothing has to be known or remembered for it. */
  readonly isFixed?: true;
  /** In steps, since a large market takes more than a turn has time for. Asked at most once an hour. `memory` is empty at first, and after the strategy or the start price was changed. */
  next(situation: Situation, memory: Memory): Steps<Answer>;
};

/** The `next` of a strategy that takes a single short step. */
export function atOnce(answer: (situation: Situation, memory: Memory) => Answer): Strategy['next'] {
  return (situation, memory) => ({ next: () => ({ done: true, value: answer(situation, memory) }) });
}
