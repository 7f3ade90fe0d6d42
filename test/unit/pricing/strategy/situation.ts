import { finish } from '../../../../src/lib/slices.ts';
import type { Observed, OwnJob, SeenRun } from '../../../../src/pricing/backtest/observed.ts';
import { type Advice, advise } from '../../../../src/pricing/strategy/advise.ts';
import type { Answer, Situation, Strategy } from '../../../../src/pricing/strategy/strategy.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A host with one slot that is idle for a minute, asks what it began with, and knows an empty market. */
export function aSituation(more: Partial<Situation> = {}): Situation {
  return {
    now: 3 * DAY,
    ask: 0.05,
    start: 0.05,
    floor: 0.002,
    min: undefined,
    max: undefined,
    lastChangeAt: undefined,
    idleMs: [MINUTE],
    others: [],
    ended: [],
    observed: () => observed(),
    paidShare: 1,
    costPerMinute: 0.002,
    ...more,
  };
}

export function observed(more: Partial<Observed> = {}): Observed {
  return { from: 0, until: 3 * DAY, slots: 1, own: [], seen: [], ...more };
}

/** So many own jobs of half an hour, one every two hours, the last one at the end of the third day. */
export function ownJobs(count: number, more: Partial<OwnJob> = {}): readonly OwnJob[] {
  return Array.from({ length: count }, (_, index) => {
    const from = 3 * DAY - (count - index) * 2 * HOUR;
    return {
      run: `own-${index}`,
      function: 'f',
      image: 'i',
      bid: 0.1,
      from,
      until: from + HOUR / 2,
      isPaid: true,
      earned: 1.5,
      ...more,
    };
  });
}

export function seenRun(more: Partial<SeenRun> = {}): SeenRun {
  return {
    run: 'seen',
    function: 'f',
    image: 'i',
    bid: 0.04,
    firstSeen: 2 * DAY,
    lastSeen: 3 * DAY,
    jobs: 100,
    ...more,
  };
}

/** What a strategy answers. */
export function answerOf(strategy: Strategy, ...asked: Parameters<Strategy['next']>): Answer {
  return finish(strategy.next(...asked));
}

/** What is advised. */
export function adviceBy(...asked: Parameters<typeof advise>): Advice | undefined {
  return finish(advise(...asked));
}
