import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SeededRandom } from '../../../src/lib/seeded-random.ts';
import {
  Imputation,
  type Observed,
  type OwnJob,
  type SeenRun,
} from '../../../src/pricing/backtest/observed.ts';
import { replay } from '../../../src/pricing/backtest/replay.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const own = (more: Partial<OwnJob> = {}): OwnJob => ({
  run: 'own',
  function: 'f',
  image: 'i',
  bid: 0.1,
  from: 0,
  until: 10 * MINUTE,
  isPaid: true,
  earned: 0.5,
  ...more,
});
const seen = (more: Partial<SeenRun> = {}): SeenRun => ({
  run: 'seen',
  function: 'f',
  image: 'i',
  bid: 0.03,
  firstSeen: 0,
  lastSeen: HOUR,
  jobs: 1,
  ...more,
});
const observed = (more: Partial<Observed> = {}): Observed => ({
  from: 0,
  until: 24 * HOUR,
  slots: 1,
  seen: [],
  own: [],
  ...more,
});
const random = () => new SeededRandom(1).next();

describe('a replay', () => {
  test('at the ask in force sells what was sold', () => {
    const jobs = [own(), own({ run: 'b', from: HOUR, until: 2 * HOUR, earned: 3 })];
    expect(replay(observed({ own: jobs }), 0.05, random)).toEqual({
      jobs: 2,
      busyMs: 70 * MINUTE,
      paidMs: 70 * MINUTE,
      earned: 0.05 * 70,
      imputed: 0,
    });
  });

  test('sells less above what buyers bid, and more below', () => {
    const market = observed({ own: [own()], seen: [seen({ jobs: 3 })] });
    expect(replay(market, 0.2, random).jobs).toBe(0);
    expect(replay(market, 0.02, random)).toMatchObject({ jobs: 4, imputed: 3 });
  });

  test('takes nothing after it was last seen', () => {
    const long = own({ until: 3 * HOUR });
    expect(replay(observed({ own: [long], seen: [seen()] }), 0.02, random)).toMatchObject({ jobs: 1 });
  });

  test('is not paid for a job that failed', () => {
    expect(replay(observed({ own: [own({ isPaid: false })] }), 0.05, random)).toMatchObject({
      jobs: 1,
      paidMs: 0,
      earned: 0,
    });
  });

  test('never has more jobs at once than slots, nor sells below the ask', () => {
    const span = fc.tuple(fc.integer({ min: 0, max: 1_000 }), fc.integer({ min: 1, max: 200 }));
    const bid = fc.double({ min: 0.01, max: 0.2, noNaN: true });
    const runs = fc.array(fc.record({ span, bid, jobs: fc.integer({ min: 1, max: 5 }) }), { maxLength: 30 });
    fc.assert(
      fc.property(runs, fc.integer({ min: 1, max: 4 }), bid, (some, slots, ask) => {
        const list = some.map(({ bid, jobs, span: [from, long] }, index) =>
          seen({ run: `r${index}`, bid, jobs, firstSeen: from * MINUTE, lastSeen: (from + long) * MINUTE }),
        );
        const market = observed({ slots, seen: list, own: [own({ bid: 1 })] });
        const sales = replay(market, ask, random);
        expect(sales.busyMs).toBeLessThanOrEqual(slots * (market.until - market.from));
        const takeable = list.filter((run) => run.bid >= ask).reduce((sum, { jobs }) => sum + jobs, 0);
        expect(sales.imputed).toBeLessThanOrEqual(takeable);
        expect(sales.earned).toBeCloseTo((ask * sales.paidMs) / MINUTE, 3);
      }),
    );
  });
});

describe('a job of others', () => {
  const jobs = [
    ...Array.from({ length: 5 }, () => own({ function: 'a', until: MINUTE })),
    ...Array.from({ length: 5 }, () => own({ function: 'b', image: 'j', until: 2 * MINUTE })),
  ];

  test.each([
    ['its function', { function: 'a', image: 'x' }, [1]],
    ['its image', { function: 'x', image: 'j' }, [2]],
    ['all', { function: 'x', image: 'x' }, [1, 2]],
  ])('is drawn from those of %s', (_what, run, minutes) => {
    const seeded = new SeededRandom(3);
    const drawn = Array.from({ length: 50 }, () => new Imputation(jobs).draw(run, () => seeded.next())?.ms);
    expect([...new Set(drawn)].toSorted((a = 0, b = 0) => a - b)).toEqual(minutes.map((one) => one * MINUTE));
  });

  test('is unknown to a host that has run none', () => {
    expect(new Imputation([]).draw({ function: 'a', image: 'i' }, random)).toBeUndefined();
  });
});
