import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type BacktestParts, backtestInput } from '../../../src/control/backtest-input.ts';
import { finish } from '../../../src/lib/slices.ts';
import type { SeenRun } from '../../../src/pricing/backtest/observed.ts';
import { anOffer } from '../../support/domain.ts';

const OFFER = anOffer();
const HOUR = 3_600_000;

type Job = BacktestParts['jobs'][number];

function partsOf(runs: readonly SeenRun[], jobs: readonly Job[]): BacktestParts {
  return {
    from: 0,
    until: 24 * HOUR,
    asks: [0.1],
    offer: OFFER,
    jobs,
    past: { runs, knownFrom: 0, online: [{ from: 0, until: 24 * HOUR }], paused: [] },
    changes: [],
    knowledge: { catalogue: new Map(), images: ['sharedcloud/*'] },
    floor: undefined,
    costPerMinute: undefined,
    brokerFee: 0,
  };
}

function seenRun(more: Partial<SeenRun>): SeenRun {
  return {
    run: 'r',
    function: 'f',
    image: 'i',
    baseGpu: null,
    bid: 0.1,
    jobs: 1,
    firstSeen: 0,
    lastSeen: 1,
    ...more,
  };
}

function jobOf(more: Partial<Job>): Job {
  return {
    job: 'j',
    run: 'nobody-saw-it',
    function: 'f',
    image: 'i',
    offer: OFFER.key,
    ask: 0.1,
    from: 0,
    until: 1,
    hasEnded: true,
    paidMs: 1,
    microDollars: 1,
    energy: undefined,
    ...more,
  };
}

const bids = fc.integer({ min: 1, max: 50 }).map((cents) => cents / 100);
const hours = fc.integer({ min: 0, max: 20 }).map((hour) => hour * HOUR);

test('a run that nobody saw has a bid of the market that beat all that were open, or at least theirs', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ bid: bids, firstSeen: hours, lastSeen: hours }), { maxLength: 30 }),
      fc.array(fc.record({ from: hours, ask: bids }), { maxLength: 10 }),
      (spans, claims) => {
        const runs = spans.map((span, at) =>
          seenRun({ ...span, run: `r${at}`, lastSeen: Math.max(span.firstSeen, span.lastSeen) }),
        );
        const { observed } = finish(backtestInput(partsOf(runs, claims.map(jobOf))));
        expect(observed.own).toHaveLength(claims.length);
        for (const { ask = 0, bid, from } of observed.own) {
          const open = runs.filter((run) => run.firstSeen <= from && run.lastSeen > from);
          const best = Math.max(ask, ...open.map((run) => run.bid));
          expect(bid).toBeGreaterThanOrEqual(best);
          expect(bid === best || runs.some((run) => run.bid === bid)).toBe(true);
        }
      },
    ),
  );
});

test('many runs of strangers are gone through in small steps', () => {
  let reads = 0;
  const runs = Array.from({ length: 20_000 }, (_, at) => {
    const run = seenRun({ run: `r${at}`, lastSeen: 24 * HOUR });
    return {
      ...run,
      get bid() {
        reads += 1;
        return (at * 7919) % 1000;
      },
      get firstSeen() {
        reads += 1;
        return (at * 7919) % HOUR;
      },
    };
  });
  const jobs = Array.from({ length: 100 }, (_, at) => jobOf({ job: `j${at}`, from: HOUR + at }));
  const steps = backtestInput(partsOf(runs, jobs));
  let most = 0;
  for (let isDone = false; !isDone; ) {
    reads = 0;
    isDone = steps.next().done === true;
    most = Math.max(most, reads);
  }
  // Some hundred are sorted at once.
  expect(most).toBeLessThan(10_000);
});
