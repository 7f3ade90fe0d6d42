import { SeededRandom } from '../../lib/seeded-random.ts';
import { LIMITS } from '../../limits.ts';
import type { Observed, SeenRun } from '../backtest/observed.ts';
import { plainWorld, ReplayMarket, salesOf } from '../backtest/replay.ts';
import { TAKE_ALL } from '../backtest/rules.ts';

const DAY_MS = 24 * 3_600_000;

/** Days that are looked back on. */
export const ADVICE_DAYS = 14;
/** With less than this, a replay says little: how long jobs take, and which fail, is known from own jobs alone. */
const ENOUGH_DAYS = 2;
export const ENOUGH_JOBS = 20;
/** Asks are tried in steps of so much below and above the one in force. */
const STEP = 1.12;
const STEPS = [-2, -1, 1, 2] as const;
/** Durations of others' jobs are drawn; the mean of a few draws is steadier. */
const DRAWS = 2;

/** So few runs of a day are replayed in full, however few slots there are. */
const MIN_RUNS = 1_000;

/** What another ask would have brought a day, more than the one in force, by the days that were looked back on. */
export type TriedAsk = {
  /** US dollars per job and minute. */
  readonly ask: number;
  /** US dollars a day, net. */
  readonly gain: number;
  /** The standard error of the gain, by its differences from day to day. */
  readonly error: number;
};

/** The ask that is advised, and all that were tried, lowest first. */
export type Advice = {
  readonly days: number;
  /** What the ask in force would have brought a day, net. */
  readonly now: number;
  /** Undefined: no other ask is better by more than its error. */
  readonly best: TriedAsk | undefined;
  readonly tried: readonly TriedAsk[];
};

/**
 * Sells the slots again on each of the last days, at the ask in force and a few others, and advises the one that gains most,
 * provided that it gains more than the standard error of its gain. Never below `floor`. `cost` is that of a busy minute.
 * Undefined with too few days or own jobs. The same days give the same advice. Pure.
 */
export function* advise(
  observed: Observed,
  ask: number,
  { cost, floor }: { readonly cost: number; readonly floor: number },
): Generator<void, Advice | undefined> {
  const asks = [ask, ...STEPS.map((step) => ask * STEP ** step).filter((one) => one >= floor)];
  const days = yield* daysOf(observed, Math.min(...asks));
  if (days.length < ENOUGH_DAYS || days.reduce((sum, day) => sum + ownJobs(day), 0) < ENOUGH_JOBS)
    return undefined;
  const nets: (readonly number[])[] = [];
  for (const day of days) nets.push(yield* netsOf(day, asks, cost));
  const tried = asks.slice(1).map((one, index) => {
    const gains = nets.map((day) => (day[index + 1] ?? 0) - (day[0] ?? 0));
    return { ask: one, ...meanAndError(gains) };
  });
  const better = tried.filter(({ error, gain }) => gain > error);
  const best = better.reduce<TriedAsk | undefined>(
    (a, b) => (a === undefined || b.gain > a.gain ? b : a),
    undefined,
  );
  return { days: days.length, now: meanAndError(nets.map((day) => day[0] ?? 0)).gain, best, tried };
}

/** The latest days of what was observed, each 24 hours long, the last one first; without bids below the lowest ask. */
function* daysOf(observed: Observed, lowest: number): Generator<void, readonly Observed[]> {
  const days: Observed[] = [];
  for (let end = observed.until; end - DAY_MS >= observed.from && days.length < ADVICE_DAYS; end -= DAY_MS) {
    const span = { from: end - DAY_MS, until: end, slots: observed.slots };
    // All own jobs, since they say how jobs go; the replay sells those of the day.
    days.push({ ...observed, ...span, seen: yield* runsOf(observed.seen, lowest, span) });
  }
  return days;
}

/** The runs of a day that an ask could win, and of very many only a part. */
function* runsOf(
  seen: Observed['seen'],
  lowest: number,
  { from, slots, until }: Pick<Observed, 'from' | 'slots' | 'until'>,
): Generator<void, Observed['seen']> {
  const open: SeenRun[] = [];
  for (const run of seen) {
    if (run.bid >= lowest && run.lastSeen >= from && run.firstSeen < until) open.push(run);
    yield;
  }
  const step = Math.ceil(open.length / Math.max(MIN_RUNS, LIMITS.broker.replayedRuns.max * slots));
  const some = step > 1 ? open.filter((_, index) => index % step === 0) : open;
  return some.map((run) => ({
    ...run,
    firstSeen: Math.max(run.firstSeen, from),
    lastSeen: Math.min(run.lastSeen, until),
  }));
}

function ownJobs({ from, own, until }: Observed): number {
  return own.filter((job) => job.from >= from && job.from < until).length;
}

/** What each ask would have brought on a day, net, in US dollars. The asks meet the same chances. */
function* netsOf(day: Observed, asks: readonly number[], cost: number): Generator<void, readonly number[]> {
  const market = yield* ReplayMarket.of(day, TAKE_ALL);
  const nets: number[] = [];
  for (const ask of asks) {
    const replay = yield* market.at(ask);
    const random = new SeededRandom(day.until / 1_000);
    let net = 0;
    for (let draw = 0; draw < DRAWS; draw += 1) {
      const world = plainWorld(() => random.next());
      const { busyMs, earned } = yield* salesOf(replay, world);
      net += earned - (cost * busyMs) / 60_000;
    }
    nets.push(net / DRAWS);
  }
  return nets;
}

function meanAndError(values: readonly number[]): Pick<TriedAsk, 'error' | 'gain'> {
  const gain = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - gain) ** 2, 0);
  return { gain, error: Math.sqrt(squares / (values.length - 1) / values.length) };
}
