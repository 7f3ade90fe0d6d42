/** Watts that were measured on a GPU or slice, oldest first. */
export type MeasuredPower = {
  readonly gpu: string;
  /** Means of ten minutes each without a job; of a GPU only. */
  readonly idleW: readonly number[];
  /** Of its latest jobs: their mean above idle, on top of the idle watts. */
  readonly busyW: readonly number[];
};

/** Watts of a GPU or slice, for the floor; undefined: not known. */
export type PowerModel = {
  /** Without a job. */
  readonly idleW: number | undefined;
  /** With a job: the most that one of its latest jobs took in the mean; while there are few, the power limit. */
  readonly busyW: number | undefined;
  /** Whether `busyW` comes from jobs. */
  readonly isMeasured: boolean;
  /** How many jobs. */
  readonly jobs: number;
};

/** So much is remembered: a day without jobs, and the latest jobs. */
const KEPT = { idle: 144, busy: 16 };

/** So few jobs say little about the next one. */
const FEW_JOBS = 4;

/** Low, since desktops, games and tests use a GPU without a job, too. */
const IDLE_QUANTILE = 0.2;

/** The idle watts by these means; undefined: there are none. Pure. */
export function idleWatts(means: readonly number[]): number | undefined {
  const sorted = means.toSorted((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) * IDLE_QUANTILE)];
}

/** The watts of a GPU by what was measured; `limitW` is its power limit. Pure. */
export function powerModelOf(
  measured: Pick<MeasuredPower, 'busyW' | 'idleW'> | undefined,
  limitW: number | undefined,
): PowerModel {
  const { busyW = [], idleW = [] } = measured ?? {};
  const isMeasured = busyW.length >= (limitW === undefined ? 1 : FEW_JOBS);
  // Not their mean: nobody knows before which job comes, and none may cost more than it brings.
  return {
    idleW: idleWatts(idleW),
    busyW: isMeasured ? Math.max(...busyW) : limitW,
    isMeasured,
    jobs: busyW.length,
  };
}

/** Adds watts, and forgets the oldest beyond what is kept. Pure. */
export function withWatts<M extends MeasuredPower>(measured: M, kind: 'idle' | 'busy', watts: number): M {
  const key = `${kind}W` as const;
  return { ...measured, [key]: [...measured[key], watts].slice(-KEPT[kind]) };
}

/** The power sensors of these see a quarter of the time: what a job took by them is an estimate. */
const PART_TIME = /\b(?:A100|A800|H100|H800|H200|GH200)\b/i;

/** Whether the power sensor of a model sees a part of the time only. */
export function isPartTimeSensor(model: string): boolean {
  return PART_TIME.test(model);
}
