import type { TestEngine } from '../test/support/engine/find-engine.ts';

/** What a row of the bench is measured on. */
export type Ground = {
  readonly engine: TestEngine;
  /** Whether it is only to be seen that the bench works: few and small samples. */
  readonly quick: boolean;
  /** The agent's entry, relative to the repository. */
  readonly entry: string;
  /** Tells whoever watches what is being done. */
  readonly say: (what: string) => void;
};

/** The most or the least that a figure is to be: its median, its 95th percentile, or its ratio to the yardstick. */
export type Target = { readonly of: 'median' | 'p95' | 'ratio' } & (
  | { readonly atMost: number }
  | { readonly atLeast: number }
);

/** What many samples of one thing come to. */
export type Spread = {
  readonly median: number;
  readonly p95: number;
  readonly least: number;
  readonly most: number;
  readonly samples: number;
};

/** One thing measured, beside its yardstick where it has one, both in the same run. */
export type Figure = {
  readonly what: string;
  readonly unit: string;
  readonly ours: Spread;
  readonly yardstick?: { readonly what: string; readonly spread: Spread };
  /** Our median by the yardstick's. */
  readonly ratio?: number;
  readonly targets: readonly Target[];
};

/** A row of the table: things that belong together. */
export type Row = {
  /** As it is named on the command line. */
  readonly name: string;
  readonly measure: (ground: Ground) => Promise<readonly Figure[]>;
};

/** Whether a figure reaches a target. Pure. */
export function isMet(figure: Figure, target: Target): boolean {
  const value = target.of === 'ratio' ? figure.ratio : figure.ours[target.of];
  if (value === undefined) return false;
  return 'atMost' in target ? value <= target.atMost : value >= target.atLeast;
}
