import type { TestEngine } from '../test/support/engine/find-engine.ts';

/** Where a row of the bench is measured. */
export type Ground = {
  readonly engine: TestEngine;
  /** Few and small samples, to test the bench itself. */
  readonly quick: boolean;
  /** The agent's entry, relative to the repository. */
  readonly entry: string;
  /** Prints progress. */
  readonly say: (what: string) => void;
};

/** A limit on a figure's median, 95th percentile, or ratio to the yardstick. */
export type Target = { readonly of: 'median' | 'p95' | 'ratio' } & (
  | { readonly atMost: number }
  | { readonly atLeast: number }
);

/** A summary of many samples of one thing. */
export type Spread = {
  readonly median: number;
  readonly p95: number;
  readonly min: number;
  readonly max: number;
  readonly samples: number;
};

/** One measurement and its yardstick, if it has one, from the same run. */
export type Figure = {
  readonly what: string;
  readonly unit: string;
  readonly ours: Spread;
  readonly yardstick?: { readonly what: string; readonly spread: Spread };
  /** Our median by the yardstick's. */
  readonly ratio?: number;
  readonly targets: readonly Target[];
};

/** A row of the table: related figures. */
export type Row = {
  /** Its name on the command line. */
  readonly name: string;
  readonly measure: (ground: Ground) => Promise<readonly Figure[]>;
};

/** Whether a figure reaches a target. Pure. */
export function isMet(figure: Figure, target: Target): boolean {
  const value = target.of === 'ratio' ? figure.ratio : figure.ours[target.of];
  if (value === undefined) return false;
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}
