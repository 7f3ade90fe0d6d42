import { describe, expect, test } from 'vitest';
import { drawnShape, SHAPES } from '../../../../bench/simulator/shapes.ts';
import { RecordedMarket } from '../../../support/market/recorded.ts';

/** Shapes that no part of the backtest was made with. */
const DRAWN = [101, 102, 103, 104, 105, 106, 107, 108, 109, 110, 111, 112, 113, 114, 115].map(drawnShape);
const MARKETS = [...SHAPES, ...DRAWN].map((shape, index) => ({ shape, seed: 2_003 + index }));

describe('a backtest of a recorded market', () => {
  test.each(MARKETS)('reproduces the ledger at the ask in force: $shape.name', ({ seed, shape }) => {
    const market = new RecordedMarket(shape, seed, { days: 7, slots: 1 + (seed % 2) });
    const {
      asks: [atAsk],
      own,
    } = market.backtest([market.ask]);
    expect(market.earned).toBeGreaterThan(0);
    expect(own.replayed / 1_000_000 / market.earned).toBeCloseTo(1, 1.5);
    for (const figure of [atAsk?.earned.low, atAsk?.earned.high])
      expect((figure ?? 0) / 1_000_000 / market.earned).toBeCloseTo(1, 1.5);
  });

  test('reproduces the ledger where the ask changed each hour', () => {
    for (const { seed, shape } of MARKETS.slice(0, 5)) {
      const market = new RecordedMarket(shape, seed, { asks: [0.8, 1, 1.3, 0.9], days: 5 });
      const { own } = market.backtest([market.ask]);
      expect(own.replayed / 1_000_000 / market.earned).toBeCloseTo(1, 1.5);
    }
  });

  test('has what another ask earns in truth between its ends in at least 80 % of all cases', () => {
    const times = [0.5, 0.75, 0.9, 1.15, 1.4, 1.8];
    const some = MARKETS.filter((_, index) => index % 3 === 0);
    const cases = some.flatMap(({ seed, shape }) => {
      const market = new RecordedMarket(shape, seed + 1_000, { days: 5 });
      if (market.observed.own.length < 20) return [];
      const asks = times.map((one) => one * market.ask);
      return market.backtest(asks).asks.map(({ ask, earned: { high, low } }) => {
        const truth = market.truth(ask) * 1_000_000;
        return {
          isIn: truth >= low * 0.99 - 1 && truth <= high * 1.01 + 1,
          shape: shape.name,
          ask: ask / market.ask,
        };
      });
    });
    const share = cases.filter(({ isIn }) => isIn).length / cases.length;
    expect(share).toBeGreaterThanOrEqual(0.8);
  });
});
