/** Watts that were measured on a GPU or slice, oldest first: idle in each of the latest minutes, and of its latest jobs. */
export type MeasuredPower = {
  readonly gpu: string;
  readonly idleW: readonly number[];
  readonly busyW: readonly number[];
};

/** Watts of a GPU or slice, for the floor; undefined: not known. */
export type PowerModel = {
  /** Without a job. */
  readonly idleW: number | undefined;
  /** With a job: the mean of its latest jobs; before the first, the power limit. */
  readonly busyW: number | undefined;
  /** Whether `busyW` comes from jobs. */
  readonly isMeasured: boolean;
};

/** So many idle minutes and jobs are remembered. */
const KEPT = { idle: 60, busy: 16 };

/** Where idle watts are read from the minutes: low, since desktops, games and tests use a GPU without a job, too. */
const IDLE_QUANTILE = 0.2;

/** The idle watts by these minutes; undefined: there are none. Pure. */
export function idleWatts(minutes: readonly number[]): number | undefined {
  const sorted = minutes.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * IDLE_QUANTILE)];
}

/** The watts of a GPU by what was measured; `limitW` is its power limit. Pure. */
export function powerModelOf(
  measured: Pick<MeasuredPower, 'busyW' | 'idleW'> | undefined,
  limitW: number | undefined,
): PowerModel {
  const { busyW = [], idleW = [] } = measured ?? {};
  const isMeasured = busyW.length > 0;
  const mean = busyW.reduce((sum, watts) => sum + watts, 0) / busyW.length;
  return { idleW: idleWatts(idleW), busyW: isMeasured ? mean : limitW, isMeasured };
}

/** Adds watts, and forgets the oldest beyond what is kept. Pure. */
export function withWatts<M extends MeasuredPower>(measured: M, kind: 'idle' | 'busy', watts: number): M {
  const key = `${kind}W` as const;
  return { ...measured, [key]: [...measured[key], watts].slice(-KEPT[kind]) };
}
