import { advise } from './advise.ts';
import type { Answer, Memory, Situation, Strategy } from './strategy.ts';

/** One more day of the market changes the advice; hours do not. */
const EVERY_MS = 24 * 3_600_000;

/** Says once a day which ask would have earned more, and leaves the ask as it is. */
export const ADVICE: Strategy = {
  needs: ['market'],
  next: (situation, memory) => ({ ...adviceOn(situation, memory), choice: undefined }),
};

/** Moves the ask once a day to the one that is advised: at most a quarter up or a fifth down. */
export const APPLY_ADVICE: Strategy = { needs: ['market'], next: adviceOn };

function adviceOn(situation: Situation, memory: Memory): Answer {
  const { ask, floor = 0, now, paidShare } = situation;
  if (now - (memory['advisedAt'] ?? Number.NEGATIVE_INFINITY) < EVERY_MS)
    return { choice: undefined, memory };
  const observed = situation.observed();
  // The floor without unpaid minutes is what a busy minute costs of what is asked, with the broker's fee.
  const advice = observed && advise(observed, ask, { cost: floor * paidShare, floor });
  if (advice === undefined) return { choice: undefined, memory };
  const { best, days, now: netPerDay } = advice;
  return {
    choice: best && { ask: best.ask, reason: 'advised' },
    memory: { advisedAt: now },
    terms: {
      days,
      netDollarsPerDay: netPerDay,
      advisedAskDollars: best?.ask ?? ask,
      gainDollarsPerDay: best?.gain ?? 0,
      errorDollarsPerDay: best?.error ?? 0,
    },
  };
}
