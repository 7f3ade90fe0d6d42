import type { GpuSample } from './gpu-sample.ts';

/** The figures of a sample that are kept for months. */
const FIGURES = {
  utilizationPercent: true,
  memoryUsedMiB: true,
  temperatureC: true,
  powerW: true,
} as const satisfies Partial<Record<keyof GpuSample, true>>;

export type RollupFigure = keyof typeof FIGURES;

export const ROLLUP_FIGURES = Object.keys(FIGURES).filter((key): key is RollupFigure =>
  Object.hasOwn(FIGURES, key),
);

/** One figure over a span of time. */
export type FigureRollup = {
  /** How long it was known. */
  readonly knownMs: number;
  /** Its integral over that time, in its unit times seconds: of a power in watts, joules. */
  readonly integral: number;
  readonly max: number;
};

/** What a GPU did in a minute or an hour. */
export type GpuRollup = {
  readonly gpu: string;
  /** The beginning of the minute or hour by the wall clock, in milliseconds. */
  readonly start: number;
  /** How much of it lies between two samples that are not far apart; the clock may have been set back, so more is possible. */
  readonly coveredMs: number;
  /** Figures that were known at no time are left out. */
  readonly figures: Readonly<Partial<Record<RollupFigure, FigureRollup>>>;
};

/** A sample, and when it was read by a clock that never goes back. */
export type TimedSample = { readonly sample: GpuSample; readonly readAt: number };

/** Between two samples that are farther apart than this, only so much counts: nobody knows what was in between. */
export const MAX_GAP_MS = 90_000;

const MINUTE_MS = 60_000;

/** The mean over the time in which it was known; undefined: at no time. */
export function meanOf(figure: FigureRollup | undefined): number | undefined {
  return figure === undefined || figure.knownMs <= 0 ? undefined : (figure.integral * 1_000) / figure.knownMs;
}

/** The energy that a GPU used, in joules; undefined: its power was known at no time. */
export function energyJ({ figures }: Pick<GpuRollup, 'figures'>): number | undefined {
  return figures.powerW?.integral;
}

/**
 * What happened between two samples of a GPU, minute by minute: each figure goes in a straight line from the one to the
 * other. Times are those of the later sample's wall clock. Empty while the GPU sleeps. Pure.
 */
export function rollupsBetween(before: TimedSample, after: TimedSample): readonly GpuRollup[] {
  const spanMs = Math.min(after.readAt - before.readAt, MAX_GAP_MS);
  if (!(spanMs > 0) || before.sample.asleep || after.sample.asleep) return [];
  const end = after.sample.at;
  const pieces: GpuRollup[] = [];
  for (let from = end - spanMs; from < end; ) {
    const start = minuteOf(from);
    const to = Math.min(start + MINUTE_MS, end);
    const [first, last] = [from, to].map((time) => 1 - (end - time) / spanMs);
    pieces.push({
      gpu: after.sample.uuid,
      start,
      coveredMs: to - from,
      figures: figuresOf((key) =>
        piece(before.sample[key], after.sample[key], first ?? 0, last ?? 1, to - from),
      ),
    });
    from = to;
  }
  return pieces;
}

/** One rollup of the same GPU from two. Pure. */
export function merged(a: GpuRollup, b: Pick<GpuRollup, 'coveredMs' | 'figures'>): GpuRollup {
  const figures = figuresOf((key) => {
    const [one, other] = [a.figures[key], b.figures[key]];
    if (one === undefined || other === undefined) return one ?? other;
    return {
      knownMs: one.knownMs + other.knownMs,
      integral: one.integral + other.integral,
      max: Math.max(one.max, other.max),
    };
  });
  return { ...a, coveredMs: a.coveredMs + b.coveredMs, figures };
}

/** The beginning of the minute or hour that a time is in. */
export function spanStart(at: number, spanMs: number): number {
  return Math.floor(at / spanMs) * spanMs;
}

function minuteOf(at: number): number {
  return spanStart(at, MINUTE_MS);
}

/** A figure from `first` to `last` of the way from one value to another. */
function piece(
  from: number | undefined,
  to: number | undefined,
  first: number,
  last: number,
  ms: number,
): FigureRollup | undefined {
  if (from === undefined || to === undefined) return undefined;
  const [begin, end] = [from + (to - from) * first, from + (to - from) * last];
  return { knownMs: ms, integral: (((begin + end) / 2) * ms) / 1_000, max: Math.max(begin, end) };
}

function figuresOf(of: (key: RollupFigure) => FigureRollup | undefined): GpuRollup['figures'] {
  const figures: Partial<Record<RollupFigure, FigureRollup>> = {};
  for (const key of ROLLUP_FIGURES) {
    const figure = of(key);
    if (figure !== undefined) figures[key] = figure;
  }
  return figures;
}
