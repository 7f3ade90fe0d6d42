import type { MarketKnowledge } from '../domain/decide.ts';
import type { Offer } from '../domain/offer.ts';
import { parallelJobsOf } from '../domain/offer.ts';
import { paidChance } from '../domain/paid-chance.ts';
import type { Run } from '../domain/run.ts';
import { sortInSteps } from '../domain/sort-in-steps.ts';
import type { JournaledJob } from '../journal/own-jobs.ts';
import { Heap } from '../lib/heap.ts';
import { SeededRandom } from '../lib/seeded-random.ts';
import type { BacktestInput } from '../pricing/backtest/backtest.ts';
import { intervalAt } from '../pricing/backtest/candidates.ts';
import type { CostPerMinute } from '../pricing/backtest/cost-curve.ts';
import type { Capacity, OwnJob, SeenRun } from '../pricing/backtest/observed.ts';

/** A stretch of time in milliseconds of the wall clock. */
type Span = { readonly from: number; readonly until: number };

/** What the market history knows of a time. */
export type MarketPast = {
  /** Those that the offer could take at some ask, or has taken. */
  readonly runs: readonly SeenRun[];
  /** When the market was first looked at. */
  readonly knownFrom: number;
  /** When the market was looked at and the offer could have taken jobs, and when it was looked at but the owner paused. */
  readonly online: readonly Span[];
  readonly paused: readonly Span[];
};

/** What a backtest of an offer is asked, and what is known of it. Prices are US dollars per job and minute. */
export type BacktestParts = {
  readonly from: number;
  readonly until: number;
  readonly asks: readonly number[];
  readonly offer: Offer;
  /** All jobs whose slots were taken in the time. */
  readonly jobs: readonly JournaledJob[];
  readonly past: MarketPast;
  readonly changes: readonly { readonly at: number; readonly ask: number }[];
  readonly knowledge: Pick<MarketKnowledge, 'catalogue' | 'images'>;
  readonly floor: number | undefined;
  /** Undefined: not known. */
  readonly costPerMinute: CostPerMinute | undefined;
  readonly brokerFee: number;
};

/** A backtest with the same question has the same answer. */
const SEED = 1;

/** Brings together what the journal and the market history know. Pure. A `yield` follows each small step. */
export function* backtestInput(parts: BacktestParts): Generator<void, BacktestInput> {
  const { asks, brokerFee, from, knowledge, offer, past, until } = parts;
  const jobs = parts.jobs.filter((job) => job.offer === offer.key);
  const own = yield* ownJobs(jobs, past.runs, (run) => isLargeEnough(run, offer, knowledge.catalogue));
  const spans = past.online.map((span) => clipped(span, from, until));
  const capacity = spans.map((span): Capacity => ({ ...span, slots: parallelJobsOf(offer) }));
  const pausedMs = lengthOf(past.paused.map((span) => clipped(span, from, until)));
  const asksThen = [
    ...jobs.map((job) => ({ from: job.from, ask: job.ask })),
    ...parts.changes.map(({ ask, at }) => ({ from: at, ask })),
  ];
  const inForce = yield* sortInSteps(asksThen, (a, b) => a.from - b.from);
  const seen = yield* ofOthers(past.runs, own);
  return {
    observed: { from, until, slots: parallelJobsOf(offer), seen, own, capacity },
    rules: {
      offer,
      knowledge: {
        ...knowledge,
        imageState: () => 'ready',
        backoff: { get: () => undefined },
        chancePaid: chancesOf(own, until),
      },
    },
    knownFrom: past.knownFrom,
    coveredMs: Math.min(lengthOf(spans) + pausedMs, until - from),
    ledger: jobs.reduce((sum, job) => sum + (job.from >= from ? job.microDollars : 0), 0),
    inForce,
    askNow: offer.askPrice,
    floor: parts.floor,
    brokerFee,
    costPerMinute: parts.costPerMinute ?? (() => undefined),
    asks,
    seed: SEED,
  };
}

/** Function and image are named as the market names them, where a run of them was seen. */
function* ownJobs(
  jobs: readonly JournaledJob[],
  runs: readonly SeenRun[],
  isFor: (run: SeenRun) => boolean,
): Generator<void, readonly OwnJob[]> {
  const wanted = new Set(jobs.map(({ run }) => run));
  const seen = new Map<string, SeenRun>();
  const images = new Map<string, string>();
  const suitable: SeenRun[] = [];
  for (const run of runs) {
    if (wanted.has(run.run)) seen.set(run.run, run);
    images.set(run.function, run.image);
    if (run.isUnsuitable !== true && isFor(run)) suitable.push(run);
    yield;
  }
  const byBid = yield* sortInSteps(runs, (a, b) => a.bid - b.bid);
  const random = new SeededRandom(SEED);
  const bestAt = bestBids(yield* sortInSteps(suitable, (a, b) => a.firstSeen - b.firstSeen));
  const own: OwnJob[] = [];
  for (const job of yield* sortInSteps(jobs, (a, b) => a.from - b.from)) {
    const run = seen.get(job.run);
    const name = run?.function ?? job.function;
    const best = yield* bestAt(job);
    own.push({
      run: job.run,
      function: name,
      image: run?.image ?? images.get(name) ?? job.image,
      bid: Math.max(run?.bid ?? drawnBid(byBid, best, random), job.ask),
      from: job.from,
      until: job.until,
      isPaid: job.paidMs > 0,
      earned: job.microDollars / 1_000_000,
      ask: job.ask,
      paidMs: job.paidMs,
    });
    yield;
  }
  return own;
}

/** Without the jobs that this host has claimed after the run was first seen. Pure. A `yield` follows each small step. */
export function* ofOthers(
  runs: readonly SeenRun[],
  own: readonly OwnJob[],
): Generator<void, readonly SeenRun[]> {
  const byRun = Map.groupBy(own, ({ run }) => run);
  const others: SeenRun[] = [];
  for (const run of runs) {
    const claimed = (byRun.get(run.run) ?? []).filter((job) => intervalAt([run], job.from)).length;
    others.push(claimed === 0 ? run : { ...run, jobs: Math.max(0, run.jobs - claimed) });
    yield;
  }
  return others;
}

/** By all jobs of the time, as the claim loop has them by its latest. */
function chancesOf(own: readonly OwnJob[], now: number): (run: Pick<Run, 'functionUuid'>) => number {
  const ended = Map.groupBy(
    own.filter((job) => job.until < now),
    (job) => job.function,
  );
  const chances = new Map(
    [...ended].map(([name, jobs]) => {
      const paid = jobs.filter(({ isPaid }) => isPaid).length;
      return [name, paidChance({ paid, ended: jobs.length })];
    }),
  );
  return ({ functionUuid }) => chances.get(functionUuid) ?? paidChance();
}

/** Nobody saw the run before it was claimed: its bid is drawn from those that would have been taken then. */
function drawnBid(byBid: readonly SeenRun[], lowest: number, random: SeededRandom): number {
  let [first, end] = [0, byBid.length];
  while (first < end) {
    const middle = (first + end) >> 1;
    if ((byBid[middle]?.bid ?? lowest) >= lowest) end = middle;
    else first = middle + 1;
  }
  if (first === byBid.length) return lowest;
  return byBid[first + Math.floor(random.next() * (byBid.length - first))]?.bid ?? lowest;
}

/** The highest bid that was open when a job was claimed, and at least its ask; to be asked in the order of the claims. */
function bestBids(
  byStart: readonly SeenRun[],
): (job: Pick<JournaledJob, 'ask' | 'from'>) => Generator<void, number> {
  const open = new Heap<SeenRun>((a, b) => a.bid > b.bid);
  let next = 0;
  return function* ({ ask, from }) {
    for (let run = byStart[next]; run !== undefined && run.firstSeen <= from; run = byStart[next]) {
      open.add(run);
      next += 1;
      yield;
    }
    // Those that are over by now are over for all later claims.
    let best = open.take();
    for (; best !== undefined && best.lastSeen <= from; best = open.take()) yield;
    if (best === undefined) return ask;
    open.add(best);
    return Math.max(best.bid, ask);
  };
}

/** Whether the offer's GPU has the cores that a run asks for. Pure. */
function isLargeEnough(
  { baseGpu }: SeenRun,
  { cudaCores }: Offer,
  catalogue: MarketKnowledge['catalogue'],
): boolean {
  if (typeof baseGpu !== 'string') return true;
  const wanted = catalogue.get(baseGpu);
  return wanted !== undefined && wanted.cudaCores <= cudaCores;
}

function clipped(span: Span, from: number, until: number): Span {
  return { from: Math.max(span.from, from), until: Math.min(span.until, until) };
}

function lengthOf(spans: readonly Span[]): number {
  return spans.reduce((sum, span) => sum + Math.max(0, span.until - span.from), 0);
}
