import { ADVICE, APPLY_ADVICE } from './advice.ts';
import { DECAY } from './decay.ts';
import { FIXED } from './fixed.ts';
import { floorMargin } from './floor-margin.ts';
import type { Strategy } from './strategy.ts';

/** What the owner sets for strategies. */
export type StrategySettings = {
  /** What the floor is multiplied by, from 1. */
  readonly floorMargin: number;
};

/** The strategies by the names of `--ask-strategy`. */
export const STRATEGIES = {
  fixed: () => FIXED,
  floor: (settings) => floorMargin(settings.floorMargin),
  decay: () => DECAY,
  advice: () => ADVICE,
  'apply-advice': () => APPLY_ADVICE,
} as const satisfies Record<string, (settings: StrategySettings) => Strategy>;

export type StrategyName = keyof typeof STRATEGIES;

/** A strategy with the owner's settings. */
export function strategyOf(name: StrategyName, settings: StrategySettings): Strategy {
  const make: (settings: StrategySettings) => Strategy = STRATEGIES[name];
  return make(settings);
}

/** The names of all strategies. */
export const STRATEGY_NAMES: readonly StrategyName[] = Object.keys(STRATEGIES).filter(
  (name): name is StrategyName => Object.hasOwn(STRATEGIES, name),
);
