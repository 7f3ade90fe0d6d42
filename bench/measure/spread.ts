import type { Figure, Spread, Target } from '../row.ts';

/** Summarizes samples. Pure. Throws if there are none. */
export function spreadOf(samples: readonly number[]): Spread {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (part: number): number => {
    const value = sorted[Math.ceil(part * sorted.length) - 1] ?? sorted[0];
    if (value === undefined) throw new Error('nothing was measured');
    return rounded(value);
  };
  return { median: middle(sorted), p95: at(0.95), min: at(0), max: at(1), samples: sorted.length };
}

/** A figure of samples, and of those of its yardstick if it has one. */
export function figureOf(
  about: { readonly what: string; readonly unit: string; readonly targets?: readonly Target[] },
  ours: readonly number[],
  yardstick?: { readonly what: string; readonly samples: readonly number[] },
): Figure {
  const { targets = [], unit, what } = about;
  const figure = { what, unit, ours: spreadOf(ours), targets };
  if (yardstick === undefined) return figure;
  const spread = spreadOf(yardstick.samples);
  const ratio = rounded(figure.ours.median / spread.median);
  return { ...figure, yardstick: { what: yardstick.what, spread }, ratio };
}

function middle(sorted: readonly number[]): number {
  const [low = 0, high = 0] = [sorted[(sorted.length - 1) >> 1], sorted[sorted.length >> 1]];
  return rounded((low + high) / 2);
}

function rounded(value: number): number {
  return Number(value.toPrecision(3 + Math.max(0, Math.floor(Math.log10(Math.abs(value) || 1)) - 2)));
}
