import { type AskStep, stretchesOf } from './ask-steps.ts';
import { type Candidate, intervalAt, seenOfOwn } from './candidates.ts';
import { freeTimeOf, highestAsk, lengthOf, overlapMs, type Span, spanAt } from './free-time.ts';
import { normal } from './normal.ts';
import { Imputation, type Observed, type OwnJob, type SeenRun } from './observed.ts';
import type { World } from './replay.ts';
import { openRunOf, type Rules } from './rules.ts';
import { slotStepsOf } from './slot-count.ts';

/** A run that stayed open for longer than this beside a free slot of ours, at a bid that met the ask, was not for this host. */
const NOT_OURS_MS = 120_000;
/** A slot that was free for longer before a claim waited for the run, and not the run for the slot. */
const WAITED_MS = 2_000;
/** A run that was seen no longer than this before its claim came just then. */
const JUST_CAME_MS = 90_000;
const MAX_UNSEEN = 20_000;
/** What nobody saw is estimated, and may have been up to so many times as much. */
const MAX_UNSEEN_TIMES = 1.5;

/** What a replay cannot know, as far as history says something about it. */
export type Unknown = {
  /** Without runs that this host could have taken and did not get. */
  readonly observed: Observed;
  readonly unseen: readonly Candidate[];
  /** The times for which runs stayed open, in milliseconds. */
  readonly stays: readonly number[];
  /** Own jobs that came with a free slot, and jobs that others took beside one. */
  readonly won: number;
  readonly lost: number;
};

/** Learns from what happened at the asks in force. Pure but for `random`. A `yield` follows each small step. */
export function* learnUnknown(
  observed: Observed,
  inForce: readonly AskStep[],
  rules: Rules,
  lowestAsk: number,
  random: () => number,
): Generator<void, Unknown> {
  const { from, own, seen, until } = observed;
  const { busy, free } = yield* freeTimeOf(observed, yield* slotStepsOf(observed));
  const stretches = stretchesOf(inForce, from, until);
  yield;
  const kept: SeenRun[] = [];
  const stays: number[] = [];
  const below: SeenRun[] = [];
  const counts = { lost: 0, above: 0 };
  for (const run of seen) {
    if (!(run.lastSeen >= from && run.firstSeen < until)) continue;
    const ask = highestAsk(stretches, run.firstSeen, run.lastSeen);
    const isAbove = ask !== undefined && run.bid >= ask;
    const takeableMs = isAbove ? overlapMs(free, run.firstSeen, run.lastSeen) : 0;
    if (takeableMs <= NOT_OURS_MS) {
      kept.push(run);
      stays.push(Math.max(0, run.lastSeen - run.firstSeen));
      if (takeableMs > WAITED_MS) counts.lost += 1;
      if (isAbove) counts.above += 1;
      else if (run.bid >= lowestAsk) below.push(run);
    }
    yield;
  }
  const spans = yield* seenOfOwn(observed);
  const waited = own.filter((job) => isAtOnce(job, free, intervalAt(spans.get(job.run), job.from)));
  const rate = waited.length / Math.max(lengthOf(free), 1);
  const share = below.length / Math.max(counts.above + own.length, 1);
  const imputation = new Imputation(own);
  const unseen = [
    ...(yield* unseenOf(waited, busy, rate, imputation, rules, random)),
    ...(yield* unseenOf(below, [...free, ...busy], rate * share, imputation, rules, random)).filter(
      ({ from: at, open: { run } }) => run.bidPrice < (highestAsk(stretches, at, at) ?? 0),
    ),
  ];
  return { observed: { ...observed, seen: kept }, unseen, stays, won: own.length, lost: counts.lost };
}

/** Whether a slot waited for the job, and the job for nobody. */
function isAtOnce(job: OwnJob, free: readonly Span[], seen: SeenRun | undefined): boolean {
  const span = spanAt(free, job.from - 1);
  return (
    span !== undefined &&
    job.from - span.from > WAITED_MS &&
    job.from - (seen?.firstSeen ?? job.from) <= JUST_CAME_MS
  );
}

/** Runs that come and are gone at once, at a rate per millisecond of some time, each like one of these. */
function* unseenOf(
  like: readonly (OwnJob | SeenRun)[],
  spans: readonly Span[],
  rate: number,
  imputation: Imputation,
  rules: Rules,
  random: () => number,
): Generator<void, readonly Candidate[]> {
  const found: Candidate[] = [];
  const perMs = rate * MAX_UNSEEN_TIMES;
  if (like.length === 0 || !(perMs > 0)) return found;
  for (const span of spans) {
    for (let at = span.from - Math.log(1 - random()) / perMs; at < span.until; ) {
      const one = like[Math.floor(random() * like.length)];
      if (one === undefined || found.length >= MAX_UNSEEN) return found;
      const open = openRunOf(`${one.run}/2/${at}`, { ...one, at }, 1, rules);
      const peers = imputation.like(one);
      found.push({ open, from: at, until: at, jobs: 1, own: undefined, like: peers, isUnseen: true });
      at -= Math.log(1 - random()) / perMs;
      yield;
    }
  }
  return found;
}

/** One draw of everything that is unknown. */
export function worldOf({ lost, stays, won }: Unknown, random: () => number): World {
  const share = won / Math.max(won + lost, 1);
  const spread = Math.sqrt((share * (1 - share) + 0.01) / Math.max(won + lost, 1));
  const stayShare = random();
  return {
    random,
    win: Math.min(1, Math.max(0, share + spread * normal(random))),
    stayMs: () => (random() < stayShare ? (stays[Math.floor(random() * stays.length)] ?? 0) : 0),
    unseen: random(),
  };
}
