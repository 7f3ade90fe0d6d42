import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../../src/domain/errors.ts';
import { SeededRandom } from '../../../../src/lib/seeded-random.ts';
import { finish } from '../../../../src/lib/slices.ts';
import { type BacktestInput, backtest } from '../../../../src/pricing/backtest/backtest.ts';
import type { Observed, OwnJob, SeenRun } from '../../../../src/pricing/backtest/observed.ts';
import { plainWorld, ReplayMarket, replay, salesOf } from '../../../../src/pricing/backtest/replay.ts';
import { TAKE_ALL } from '../../../../src/pricing/backtest/rules.ts';
import { microDollars } from '../../../../src/pricing/money.ts';
import { inputOf } from '../../../support/market/recorded.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const ASK = 0.05;

const own = (at: number, more: Partial<OwnJob> = {}): OwnJob => ({
  run: `own-${at}`,
  function: 'f',
  image: 'i',
  bid: 0.08,
  from: at,
  until: at + 30 * MINUTE,
  isPaid: true,
  earned: ASK * 30,
  ask: ASK,
  ...more,
});
const seen = (more: Partial<SeenRun> = {}): SeenRun => ({
  run: 'seen',
  function: 'f',
  image: 'i',
  bid: 0.03,
  firstSeen: 0,
  lastSeen: DAY,
  jobs: 1,
  ...more,
});
/** Two days with a job each hour. */
const HOURLY = Array.from({ length: 48 }, (_, hour) => own(hour * HOUR));
const market = (more: Partial<Observed> = {}): Observed => ({
  from: 0,
  until: 2 * DAY,
  slots: 1,
  seen: [],
  own: HOURLY,
  ...more,
});
const ledgerOf = ({ own: jobs }: Observed): number =>
  jobs.reduce((sum, job) => sum + microDollars(job.earned), 0);
const run = (observed: Observed, more: Partial<BacktestInput> = {}) =>
  finish(backtest({ ...inputOf(observed, ledgerOf(observed)), ...more }));
const errorOf = (work: () => unknown): AgentError => {
  try {
    work();
  } catch (thrown) {
    if (thrown instanceof AgentError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
};
const random = () => new SeededRandom(7).next();

describe('a backtest', () => {
  test('is exact at the ask in force', () => {
    const { asks, own: shown } = run(market(), { asks: [ASK] });
    const earned = 48 * 30 * ASK * 1_000_000;
    expect(shown).toEqual({ jobs: 48, earned, replayed: earned });
    expect(asks).toEqual([
      {
        ask: ASK,
        earned: { low: earned, median: earned, high: earned },
        net: undefined,
        jobs: { low: 48, median: 48, high: 48 },
        busyShare: { low: 0.5, median: 0.5, high: 0.5 },
        extrapolated: 0,
      },
    ]);
  });

  test('earns nothing above every bid', () => {
    const { asks } = run(market({ seen: [seen()] }), { asks: [0.09] });
    expect(asks[0]).toMatchObject({ earned: { low: 0, high: 0 }, jobs: { high: 0 }, busyShare: { high: 0 } });
  });

  test('marks what others ran as extrapolated, as a range', () => {
    const cheap = seen({ jobs: 100, lastSeen: 2 * DAY });
    const { asks } = run(market({ seen: [cheap] }), { asks: [0.03] });
    expect(asks[0]?.extrapolated).toBeGreaterThan(0.3);
    expect(asks[0]?.earned.high).toBeGreaterThan(asks[0]?.earned.low ?? 0);
  });

  test('shows no figures where the replay does not earn what the ledger says', () => {
    const ledger = ledgerOf(market()) * 1.2;
    expect(errorOf(() => run(market(), { ledger })).code).toBe('BACKTEST_UNCALIBRATED');
    expect(errorOf(() => run(market(), { ledger: 0 })).code).toBe('BACKTEST_UNCALIBRATED');
    expect(errorOf(() => run(market(), { ledger })).message).toMatch(/\$72\.00.*\$86\.40/);
  });

  test.each([
    ['few own jobs', market({ own: HOURLY.slice(0, 19) }), {}, /more days/],
    ['half of the time unseen', market(), { coveredMs: 0.9 * DAY }, /keep the agent/],
    ['a history of less than a day', market(), { knownFrom: 1.1 * DAY }, /1970-01-03T02:24/],
    [
      'more days than are known',
      market({ until: 9 * DAY }),
      { knownFrom: 7 * DAY, coveredMs: 2 * DAY },
      /--days 2/,
    ],
  ])('refuses with a hint: %s', (_what, observed, more, hint) => {
    const error = errorOf(() => run(observed, more));
    expect(error.code).toBe('BACKTEST_TOO_LITTLE');
    expect(error.hint).toMatch(hint);
  });

  test('repeats itself with the same seed, whatever the order of its input', () => {
    const runs = Array.from({ length: 60 }, (_, index) =>
      seen({
        run: `r${index}`,
        bid: 0.02 + (index % 7) / 100,
        firstSeen: index * HOUR,
        lastSeen: (index + 3) * HOUR,
        jobs: 1 + (index % 3),
      }),
    );
    const first = run(market({ seen: runs }), { asks: [0.03, 0.06] });
    const again = run(market({ seen: runs.toReversed(), own: HOURLY.toReversed() }), { asks: [0.03, 0.06] });
    expect(again).toEqual(first);
    expect(run(market({ seen: runs }), { asks: [0.03, 0.06], seed: 2 })).not.toEqual(first);
  });

  test('takes power and the broker’s fee from the net', () => {
    const { asks } = run(market(), { asks: [ASK], brokerFee: 0.1, costPerMinute: () => 0.01 });
    const minutes = 48 * 30;
    expect(asks[0]?.net?.median).toBeCloseTo(minutes * (ASK * 0.9 - 0.01) * 1_000_000, -2);
  });

  test('chooses on past days and scores on the next', () => {
    const dear = HOURLY.map((job) => ({ ...job, bid: 0.1 }));
    const { walkForward } = run(market({ own: dear }), { asks: [0.05, 0.09], floor: 0.01 });
    expect(walkForward).toMatchObject({ days: 1, last: 0.09, floor: 24 * 30 * 10_000 });
    expect(walkForward?.chosen).toBe(24 * 30 * 90_000);
    expect(walkForward?.today).toBe(24 * 30 * 50_000);
  });

  test('takes nothing of a run that waited beside a free slot, because it was not for this host', () => {
    const waiting = seen({ bid: 0.2, lastSeen: 2 * DAY, jobs: 50 });
    expect(run(market({ seen: [waiting] }), { asks: [0.03] }).asks[0]?.extrapolated).toBe(0);
  });

  test.each([
    ['a pause', { capacity: [{ from: 0, until: 2 * DAY - 6 * HOUR, slots: 1 }] }],
    ['no slots at all', { capacity: [] }],
    ['clocks that were set back', { own: [...HOURLY, own(50 * HOUR, { until: 49 * HOUR }), own(-HOUR)] }],
    [
      'runs that were never open',
      { seen: [seen({ lastSeen: -1 }), seen({ jobs: 0 }), seen({ bid: Number.NaN })] },
    ],
    ['two jobs at a time in one slot', { own: [...HOURLY, own(HOUR + MINUTE, { run: 'other' })] }],
  ])('is exact at the ask in force also with %s', (_what, more) => {
    const observed = market(more);
    const inside = observed.own.filter((job) => job.from >= 0 && job.from < observed.until);
    const ledger = inside.reduce((sum, job) => sum + (job.until > job.from ? 1.5 : 0), 0) * 1_000_000;
    expect(run(observed, { asks: [ASK], ledger }).own).toMatchObject({ earned: ledger, replayed: ledger });
  });
});

describe('a replay', () => {
  test('has no slots while the agent is paused', () => {
    const waiting = seen({ bid: 0.2, jobs: 1_000, lastSeen: 2 * DAY });
    const sold = (more: Partial<Observed>) =>
      replay(market({ seen: [waiting], own: [own(0)], ...more }), ASK, random);
    const half = sold({ capacity: [{ from: 0, until: DAY, slots: 1 }] });
    expect(half.busyMs).toBeLessThanOrEqual(DAY + 30 * MINUTE);
    expect(sold({}).busyMs).toBe(2 * DAY);
    expect(
      sold({
        capacity: [
          { from: 0, until: DAY, slots: 2 },
          { from: DAY, until: 2 * DAY, slots: 1 },
        ],
      }).busyMs,
    ).toBeGreaterThan(2.9 * DAY);
  });

  test('leaves what its rules refuse', () => {
    const large = seen({ bid: 0.2, baseGpu: 'large' });
    const rules = {
      offer: { ...TAKE_ALL.offer, cudaCores: 10 },
      knowledge: {
        ...TAKE_ALL.knowledge,
        catalogue: new Map([['large', { uuid: 'large', name: 'L', codename: 'l', cudaCores: 11 }]]),
      },
    };
    const observed = market({ seen: [large], own: [own(HOUR)] });
    expect(replay(observed, ASK, random, rules).jobs).toBe(1);
    expect(replay(observed, ASK, random).jobs).toBe(2);
    expect(replay(market({ seen: [{ ...large, isUnsuitable: true }], own: [] }), ASK, random).jobs).toBe(0);
  });

  test('has a run that was open twice as two that could be taken', () => {
    const twice = [
      seen({ bid: 0.2, lastSeen: HOUR }),
      seen({ bid: 0.2, firstSeen: 5 * HOUR, lastSeen: 6 * HOUR }),
    ];
    expect(replay(market({ seen: twice, own: [own(DAY)] }), ASK, random).jobs).toBe(3);
  });

  test('is paid for what the broker pays, not for the time that the slot was taken', () => {
    expect(replay(market({ own: [own(0, { paidMs: 10 * MINUTE })] }), ASK, random)).toMatchObject({
      busyMs: 30 * MINUTE,
      paidMs: 10 * MINUTE,
      earned: 0.5,
    });
  });

  test('sells more jobs at a lower ask where slots never bind', () => {
    const bids = fc.array(fc.double({ min: 0.01, max: 0.2, noNaN: true }), { maxLength: 40 });
    const asks = fc.tuple(
      fc.double({ min: 0.01, max: 0.2, noNaN: true }),
      fc.double({ min: 0.01, max: 0.2, noNaN: true }),
    );
    fc.assert(
      fc.property(bids, asks, (some, pair) => {
        const runs = some.map((bid, index) => seen({ run: `r${index}`, bid, firstSeen: index * MINUTE }));
        const observed = market({ seen: runs, own: [own(0)], slots: 1_000 });
        const [low = 0, high = 0] = pair.toSorted((a, b) => a - b);
        expect(replay(observed, low, random).jobs).toBeGreaterThanOrEqual(
          replay(observed, high, random).jobs,
        );
      }),
    );
  });

  test('loses a job that it does not win', () => {
    const at = finish(finish(ReplayMarket.of(market({ seen: [seen({ jobs: 10 })] }), TAKE_ALL)).at(0.03));
    expect(finish(salesOf(at, { ...plainWorld(random), win: 0 })).jobs).toBe(48);
    expect(finish(salesOf(at, plainWorld(random))).jobs).toBeGreaterThan(48);
  });
});
