import { SeededRandom } from '../../src/lib/seeded-random.ts';
import { inSlices } from '../../src/lib/slices.ts';
import { type BacktestInput, backtest } from '../../src/pricing/backtest/backtest.ts';
import type { OwnJob } from '../../src/pricing/backtest/observed.ts';
import { microDollars } from '../../src/pricing/money.ts';
import { inputOf, RecordedMarket } from '../../test/support/market/recorded.ts';
import { figureOf } from '../measure/spread.ts';
import type { Figure, Row } from '../row.ts';
import { drawnShape, SHAPES } from '../simulator/shapes.ts';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const ASK = 0.066;
/** Neither shapes nor seeds that the backtest was made with. */
const FIRST_SHAPE = 701;
const FIRST_SEED = 9_001;
/** Times the ask in force. */
const OTHER_ASKS = [0.5, 0.75, 0.9, 1.15, 1.4, 1.8];

/** How long a backtest takes, for how long it stops the event loop, and how often the truth of a simulator is in its ranges. */
export const backtestRow: Row = {
  name: 'backtest',
  measure: async ({ quick, say }) => {
    const month = monthOf(quick ? 5_000 : 100_000, quick ? 500 : 2_000);
    const { took, turns } = await timed(month, quick ? 2 : 5);
    const what = `three asks on 30 days, ${month.observed.seen.length.toLocaleString('en')} runs, ${month.observed.own.length.toLocaleString('en')} own jobs`;
    const figures = [
      figureOf({ what, unit: 'ms', targets: [{ of: 'median', atMost: 5_000 }] }, took),
      figureOf(
        {
          what: 'longest turn of the event loop meanwhile',
          unit: 'ms',
          targets: [{ of: 'median', atMost: 50 }],
        },
        turns,
      ),
    ];
    say('backtest beside the truth of the simulator');
    return [...figures, shareInRange(quick ? 4 : 40)];
  },
};

/** Wall time, and the CPU time of the longest turn. */
async function timed(
  input: BacktestInput,
  rounds: number,
): Promise<{ took: readonly number[]; turns: readonly number[] }> {
  const [took, turns]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    const began = performance.now();
    await inSlices(backtest(input));
    took.push(performance.now() - began);
    let [longest, before, isOver] = [0, cpuMs(), false];
    const turn = (): void => {
      const now = cpuMs();
      longest = Math.max(longest, now - before);
      before = now;
      if (!isOver) setImmediate(turn);
    };
    setImmediate(turn);
    await inSlices(backtest(input));
    isOver = true;
    turns.push(longest);
  }
  return { took, turns };
}

function cpuMs(): number {
  const { system, user } = process.cpuUsage();
  return (system + user) / 1_000;
}

/** A large market, which takes most of a replay's time: its slots are free often, and many bids are near the asks. */
function monthOf(runs: number, jobs: number): BacktestInput {
  const random = new SeededRandom(1);
  const until = 30 * DAY_MS;
  const own = Array.from({ length: jobs }, (_, index): OwnJob => {
    const from = (index * until) / jobs;
    const minutes = random.between(1, 20);
    const isPaid = random.next() < 0.9;
    return {
      ...names(index),
      run: `own-${index}`,
      bid: random.between(ASK, 2 * ASK),
      from,
      until: from + minutes * MINUTE_MS,
      isPaid,
      earned: isPaid ? ASK * minutes : 0,
      ask: ASK,
    };
  });
  const seen = Array.from({ length: runs }, (_, index) => {
    const firstSeen = random.next() * until;
    const lastSeen = firstSeen + random.next() * 120 * MINUTE_MS;
    const bid = random.between(ASK / 3, ASK);
    return { ...names(index), run: `run-${index}`, bid, firstSeen, lastSeen, jobs: 1 + (index % 4) };
  });
  const observed = { from: 0, until, slots: 1, own, seen };
  const ledger = own.reduce((sum, job) => sum + microDollars(job.earned), 0);
  return { ...inputOf(observed, ledger), asks: [0.03, 0.05, 0.08], floor: 0.002 };
}

function names(index: number): { readonly function: string; readonly image: string } {
  return { function: `function-${index % 50}`, image: `image-${index % 5}` };
}

/** In percent, market by market: what other asks earn in truth is between the ends of the range. */
function shareInRange(markets: number): Figure {
  const shapes = [
    ...SHAPES,
    ...Array.from({ length: markets }, (_, index) => drawnShape(FIRST_SHAPE + index)),
  ];
  const shares = shapes.slice(0, markets).flatMap((shape, index) => {
    const market = new RecordedMarket(shape, FIRST_SEED + index, { days: 7 });
    if (market.observed.own.length < 20) return [];
    const { asks } = market.backtest(OTHER_ASKS.map((times) => times * market.ask));
    const inside = asks.filter(({ ask, earned: { high, low } }) => {
      const truth = microDollars(market.truth(ask));
      return truth >= low * 0.99 - 1 && truth <= high * 1.01 + 1;
    });
    return [(100 * inside.length) / asks.length];
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const what = `other asks whose true earnings are in the range, of ${shares.length} markets`;
  return figureOf({ what, unit: '%', targets: [{ of: 'median', atLeast: 80 }] }, [mean]);
}
