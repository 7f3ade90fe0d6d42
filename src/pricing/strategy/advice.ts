import { type Advice, advise } from './advise.ts';
import type { Answer, Memory, Situation, Strategy } from './strategy.ts';

/** One more day of the market changes the advice; hours do not. */
const EVERY_MS = 24 * 3_600_000;

/** Says once a day which ask would have earned more, and leaves the ask as it is. */
export const ADVICE: Strategy = {
  needs: ['market'],
  *next(situation, memory) {
    return { ...(yield* adviceOn(situation, memory)), choice: undefined };
  },
};

/** Moves the ask once a day to the one that is advised: at most a quarter up or a fifth down. Without one, back to the owner's. */
export const APPLY_ADVICE: Strategy = { needs: ['market'], next: adviceOn };

function* adviceOn(situation: Situation, memory: Memory): Generator<void, Answer> {
  const { ask, floor = 0, now, paidShare } = situation;
  if (now - (memory['advisedAt'] ?? Number.NEGATIVE_INFINITY) < EVERY_MS)
    return { choice: undefined, memory };
  const observed = situation.observed();
  // The floor without unpaid minutes is what a busy minute costs of what is asked, with the broker's fee.
  const advice = observed && (yield* advise(observed, ask, { cost: floor * paidShare, floor }));
  if (advice === undefined) return { choice: undefined, memory };
  const { best, days, now: netPerDay } = advice;
  const next = best?.ask ?? back(advice, situation);
  return {
    choice:
      next === undefined ? undefined : { ask: next, reason: best === undefined ? 'undecided' : 'advised' },
    memory: { advisedAt: now },
    terms: {
      days,
      netDollarsPerDay: netPerDay,
      advisedAskDollars: next ?? ask,
      gainDollarsPerDay: best?.gain ?? 0,
      errorDollarsPerDay: best?.error ?? 0,
    },
  };
}

/** What the ask comes back by in a day. */
const BACK = 0.95;
/** An ask that went down is in whole micro-dollars, so the same step up may end above where it came from. */
const ROUNDED = 1.001;

/**
 * Where no ask is better, back towards the owner's: what other hosts took at once was never seen, so no replay can tell what
 * a lower ask would win. From below, only a step that lost no more than its error. Undefined: the ask stays.
 */
function back({ tried }: Advice, { ask, start }: Situation): number | undefined {
  if (ask > start) return Math.max(start, ask * BACK);
  const step = tried.find((one) => one.ask > ask && one.ask <= start * ROUNDED);
  return step !== undefined && step.gain > -step.error ? Math.min(step.ask, start) : undefined;
}
