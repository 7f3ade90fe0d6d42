import type { StrategyName } from '../../src/pricing/strategy/strategies.ts';
import { spreadOf } from '../measure/spread.ts';
import type { Figure, Row } from '../row.ts';
import { contest, HOST, ofShape, type Standing } from '../simulator/contest.ts';
import { DAYS, SEEDS, SHAPES } from '../simulator/shapes.ts';

/** Those that must never earn much less than a fixed ask. */
const PROMISED: ReadonlySet<StrategyName> = new Set(['decay', 'apply-advice']);

/** What strategies of asks net on simulated markets, beside the fixed ask of `setup` and the best fixed ask in hindsight. */
export const strategies: Row = {
  name: 'strategies',
  measure: async ({ quick, say }) => {
    const figures: Figure[] = [];
    for (const shape of quick ? SHAPES.slice(0, 1) : SHAPES) {
      say(`strategies on ${shape.name} markets`);
      const standings = contest({
        markets: [ofShape(shape, quick ? 5 : DAYS)],
        strategies: ['fixed', 'floor', 'decay', 'advice', 'apply-advice'],
        seeds: quick ? SEEDS.slice(0, 2) : SEEDS,
        host: HOST,
      });
      let fixed: Standing | undefined;
      for (const standing of standings) {
        if (standing.strategy === 'fixed') fixed = standing;
        else if (fixed !== undefined) figures.push(figureFor(standing, fixed));
      }
    }
    return figures;
  },
};

function figureFor({ nets, shape, strategy, toBest, toFixed }: Standing, fixed: Standing): Figure {
  const interval = `${toFixed.low.toFixed(2)} to ${toFixed.high.toFixed(2)}`;
  return {
    what: `${shape}: net of ${strategy} (${interval} of the fixed ask, ${toBest.ratio.toFixed(2)} of the best one)`,
    unit: '$',
    ours: spreadOf(nets),
    yardstick: { what: 'the fixed ask of setup', spread: spreadOf(fixed.nets) },
    ratio: Number(toFixed.ratio.toFixed(3)),
    targets: PROMISED.has(strategy) ? [{ of: 'ratio', atLeast: 0.95 }] : [],
  };
}
