import { FIXED } from './fixed.ts';
import type { Strategy } from './strategy.ts';

/** What the owner sets for strategies. */
export type StrategySettings = {
  /** What the floor is multiplied by, from 1. */
  readonly floorMargin: number;
};

/** The strategies by the names of `--ask-strategy`. */
export const STRATEGIES = {
  fixed: () => FIXED,
} as const satisfies Record<string, (settings: StrategySettings) => Strategy>;
