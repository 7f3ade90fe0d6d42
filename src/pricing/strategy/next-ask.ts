import { dollars, microDollars } from '../money.ts';
import type { ChangeReason, Memory, Situation, Strategy } from './strategy.ts';

/** The limits of an ask, in US dollars per job and minute; undefined: none, or not known. */
export type AskLimits = Pick<Situation, 'floor' | 'max' | 'min'>;

/** The limit that moved an ask. */
export type LimitName = 'floor' | 'max' | 'min';

/** An ask within its limits, and the limit that moved it there; undefined: none. */
export type LimitedAsk = { readonly ask: number; readonly limitedBy: LimitName | undefined };

/** What an offer asks from now on. */
export type NextAsk = LimitedAsk & {
  /** Why the ask is another one than before; undefined: it stays. */
  readonly reason: ChangeReason | undefined;
  readonly memory: Memory;
  /** The figures of the strategy. */
  readonly terms: Memory;
};

/** Asks a strategy, and keeps its choice within the limits. A choice that is no price counts as none. Pure. */
export function* nextAsk(
  strategy: Strategy,
  situation: Situation,
  memory: Memory,
): Generator<void | 'long', NextAsk> {
  const { ask, start } = situation;
  const steps = strategy.next(situation, memory);
  const answer = yield* { [Symbol.iterator]: () => steps };
  const choice = answer.choice !== undefined && isPrice(answer.choice.ask) ? answer.choice : undefined;
  const limited = limitAsk(choice === undefined ? ask : priceOf(choice.ask, start), situation);
  const reason = choice?.reason ?? limitReason(ask, limited);
  return {
    ...limited,
    reason: limited.ask === ask ? undefined : reason,
    memory: answer.memory,
    terms: answer.terms ?? {},
  };
}

/**
 * Keeps an ask at the floor or above, and between `min` and `max`. The owner's `max` is above the floor: an offer never asks
 * more, and takes no job while the floor is higher. Pure.
 */
export function limitAsk(
  ask: number,
  { floor = 0, max = Number.POSITIVE_INFINITY, min = 0 }: AskLimits,
): LimitedAsk {
  const limits = [
    { limitedBy: 'floor', ask: priceFrom(floor) },
    { limitedBy: 'min', ask: min },
  ] as const;
  let limited: LimitedAsk = { ask, limitedBy: undefined };
  for (const limit of limits) if (limited.ask < limit.ask) limited = limit;
  return limited.ask > max ? { ask: max, limitedBy: 'max' } : limited;
}

/** Why a limit changes an ask that no strategy changed. Pure. */
export function limitReason(before: number, { ask, limitedBy }: LimitedAsk): ChangeReason {
  return ask > before && limitedBy !== 'min' ? 'floor-rose' : 'limits-changed';
}

function isPrice(ask: number): boolean {
  return Number.isFinite(ask) && ask > 0;
}

/** In whole micro-dollars, at least one; the owner's own figure stays as it is. */
function priceOf(ask: number, start: number): number {
  return ask === start ? ask : dollars(Math.max(1, microDollars(ask)));
}

/** The lowest price in whole micro-dollars that is not below the floor. */
function priceFrom(floor: number): number {
  const price = dollars(Math.ceil(floor * 1e6));
  // The product may have been rounded down.
  return price < floor ? dollars(Math.ceil(floor * 1e6) + 1) : price;
}
