import { describe, expect, test } from 'vitest';
import { SHAPES } from '../../../bench/simulator/shapes.ts';
import type { MarketPast } from '../../../src/control/backtest-input.ts';
import { type BacktestRouteParts, backtestRoute } from '../../../src/control/backtest-route.ts';
import { VIEWS } from '../../../src/control-api/views.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { JournaledJob } from '../../../src/journal/own-jobs.ts';
import { microDollars } from '../../../src/pricing/money.ts';
import { anOffer } from '../../support/domain.ts';
import { RecordedMarket } from '../../support/market/recorded.ts';

const DAY = 86_400_000;
const [, BUSY = SHAPES[0]] = SHAPES;

/** The parts of an agent whose last days were those of a recorded market. */
function recordedParts(
  more: { readonly past?: Partial<MarketPast>; readonly days?: number; readonly lastClaim?: number } = {},
): BacktestRouteParts & { readonly ask: number } {
  if (BUSY === undefined) throw new Error('there are no shapes');
  const days = more.days ?? 3;
  const { ask, observed, seen } = new RecordedMarket(BUSY, 4_001, { days });
  const offer = anOffer({ key: 'gpu:a', kind: 'gpu', askPrice: ask, cudaCores: 10_000 });
  const claimed = observed.own.filter((job) => job.from < (more.lastClaim ?? observed.until));
  const jobs = claimed.map((job, index): JournaledJob => {
    const hasEnded = job.until <= observed.until;
    const paidMs = hasEnded && job.isPaid ? job.until - job.from : 0;
    return {
      job: `job-${index}`,
      run: job.run,
      function: job.function,
      image: 'sha256:abc',
      offer: 'gpu:a',
      ask,
      from: job.from,
      until: Math.min(job.until, observed.until),
      hasEnded,
      paidMs,
      microDollars: microDollars((ask * paidMs) / 60_000),
      energy: { joules: 9_000, ms: 60_000 },
    };
  });
  const span = { from: 0, until: observed.until };
  return {
    ask,
    agent: {
      overview: { glance: () => ({ offers: [{ offer }] }) },
      catalogue: new Map(),
      pricer: {
        views: [
          { offer: 'gpu:a', cost: { floor: 0.002, costPerMinute: 0.001, paidShare: 1, isStale: false } },
        ],
      },
    },
    journal: {
      ownJobs: {
        *between() {
          yield 'long' as const;
          return jobs.toReversed();
        },
      },
      prices: { changes: () => [] },
    },
    clock: { now: () => observed.until },
    settings: { loaded: () => ({ config: { images: ['*'] } }) },
    *marketPast() {
      yield;
      return { runs: seen, knownFrom: 0, online: [span], paused: [], ...more.past };
    },
  };
}

async function ask(parts: BacktestRouteParts, query: string) {
  const call = {
    body: undefined,
    query: new URLSearchParams(query),
    rest: '',
    caller: 'a test',
    from: 'a test',
    rights: ['read'] as const,
    signal: new AbortController().signal,
  };
  const answer = await backtestRoute(parts).answer(call);
  return VIEWS.backtest.parse(answer);
}

describe('the backtest of an agent', () => {
  test('shows what was earned, and what asks would have earned, as ranges', async () => {
    const parts = recordedParts();
    const { offers } = await ask(parts, `days=3&ask=${parts.ask},${parts.ask * 2}&ask=${parts.ask}`);
    const figures = offers[0]?.figures;
    expect(offers[0]).toMatchObject({ offer: 'gpu:a', floor: 0.002, refused: null });
    expect(figures?.coverage).toBe(1);
    expect(figures?.asks.map(({ ask: one, inForce }) => [one, inForce])).toEqual([
      [parts.ask, true],
      [parts.ask * 2, false],
    ]);
    const [atAsk, dear] = figures?.asks ?? [];
    expect((atAsk?.earnedMicroDollars.median ?? 0) / (figures?.earnedMicroDollars ?? 1)).toBeCloseTo(1, 1);
    expect(atAsk?.netMicroDollars?.median).toBeLessThan(atAsk?.earnedMicroDollars.median ?? 0);
    expect(dear?.earnedMicroDollars.high).toBeGreaterThan(dear?.earnedMicroDollars.low ?? 0);
    expect(figures?.walkForward).toMatchObject({ days: 2 });
  });

  test('is exact at the ask in force, also where no poll saw the bids of own runs', async () => {
    const { offers } = await ask(recordedParts(), 'days=3');
    const figures = offers[0]?.figures;
    const atAsk = figures?.asks.find(({ inForce }) => inForce);
    expect((figures?.replayedMicroDollars ?? 0) / (figures?.earnedMicroDollars ?? 1)).toBeCloseTo(1, 1);
    expect(atAsk?.extrapolatedShare).toBeLessThan(0.2);
  });

  test('tries asks around the one now where none is named', async () => {
    const parts = recordedParts();
    const { offers } = await ask(parts, 'days=3');
    expect(offers[0]?.figures?.asks).toHaveLength(5);
    expect(offers[0]?.figures?.asks.filter(({ inForce }) => inForce)).toHaveLength(1);
  });

  test.each([
    'ask=0',
    'ask=-1',
    'ask=NaN',
    'ask=',
    'ask=1001',
    'ask=0.03,,0.05',
    `ask=${Array.from({ length: 50 }, (_, i) => i + 1).join()}`,
    'days=0',
    'days=10000',
    'days=x',
  ])('refuses %s', async (query) => {
    await expect(ask(recordedParts(), query)).rejects.toMatchObject({ code: 'CONTROL_INVALID' });
  });

  test.each([
    ['no market history', { marketPast: undefined }, 'days=3'],
    ['more days than are known', {}, 'days=10'],
    [
      'no offers',
      { agent: { ...recordedParts().agent, overview: { glance: () => ({ offers: [] }) } } },
      'days=3',
    ],
  ])('says what helps with %s', async (_what, more, query) => {
    const parts = { ...recordedParts(), ...more };
    const error = await ask(parts, query).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    if (!(error instanceof AgentError)) throw new Error('it was not refused', { cause: error });
    expect(error.code).toBe('BACKTEST_TOO_LITTLE');
    expect(error.hint).toBeTruthy();
  });

  test('counts paused time as covered, and sells nothing in it', async () => {
    const past = { online: [{ from: 0, until: 2 * DAY }], paused: [{ from: 2 * DAY, until: 3 * DAY }] };
    const { offers } = await ask(recordedParts({ past, lastClaim: 2 * DAY }), 'days=3&ask=0.001');
    expect(offers[0]?.figures?.coverage).toBe(1);
    expect(offers[0]?.figures?.asks[0]?.busyShare.median).toBeLessThan(0.7);
  });

  test('shows one offer beside another that is refused', async () => {
    const parts = recordedParts();
    const other = anOffer({ key: 'cpu', kind: 'cpu', askPrice: 0.01 });
    const [first] = parts.agent.overview.glance().offers;
    const agent = {
      ...parts.agent,
      overview: { glance: () => ({ offers: [...(first ? [first] : []), { offer: other }] }) },
    };
    const { offers } = await ask({ ...parts, agent }, 'days=3');
    expect(offers[0]?.refused).toBeNull();
    expect(offers[1]).toMatchObject({
      offer: 'cpu',
      figures: null,
      refused: { code: 'BACKTEST_TOO_LITTLE' },
    });
  });
});
