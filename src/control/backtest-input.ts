import type { MarketKnowledge } from '../domain/decide.ts';
import type { Offer } from '../domain/offer.ts';
import { parallelJobsOf } from '../domain/offer.ts';
import { paidChance } from '../domain/paid-chance.ts';
import type { Run } from '../domain/run.ts';
import type { JournaledJob } from '../journal/own-jobs.ts';
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

/** Brings together what the journal and the market history know. Pure. */
export function backtestInput(parts: BacktestParts): BacktestInput {
  const { asks, brokerFee, from, knowledge, offer, past, until } = parts;
  const jobs = parts.jobs.filter((job) => job.offer === offer.key);
  const own = ownJobs(jobs, past.runs, (run) => isLargeEnough(run, offer, knowledge.catalogue));
  const spans = past.online.map((span) => clipped(span, from, until));
  const capacity = spans.map((span): Capacity => ({ ...span, slots: parallelJobsOf(offer) }));
  const pausedMs = lengthOf(past.paused.map((span) => clipped(span, from, until)));
  const inForce = [
    ...jobs.map((job) => ({ from: job.from, ask: job.ask })),
    ...parts.changes.map(({ ask, at }) => ({ from: at, ask })),
  ].toSorted((a, b) => a.from - b.from);
  return {
    observed: { from, until, slots: parallelJobsOf(offer), seen: ofOthers(past.runs, own), own, capacity },
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
function ownJobs(
  jobs: readonly JournaledJob[],
  runs: readonly SeenRun[],
  isFor: (run: SeenRun) => boolean,
): readonly OwnJob[] {
  const wanted = new Set(jobs.map(({ run }) => run));
  const seen = new Map<string, SeenRun>();
  const images = new Map<string, string>();
  for (const run of runs) {
    if (wanted.has(run.run)) seen.set(run.run, run);
    images.set(run.function, run.image);
  }
  const bids = runs.map(({ bid }) => bid).toSorted((a, b) => a - b);
  const random = new SeededRandom(SEED);
  const bestAt = bestBids(runs.filter((run) => run.isUnsuitable !== true && isFor(run)));
  return jobs
    .toSorted((a, b) => a.from - b.from)
    .map((job) => {
      const run = seen.get(job.run);
      const name = run?.function ?? job.function;
      return {
        run: job.run,
        function: name,
        image: run?.image ?? images.get(name) ?? job.image,
        bid: Math.max(run?.bid ?? drawnBid(bids, bestAt(job), random), job.ask),
        from: job.from,
        until: job.until,
        isPaid: job.paidMs > 0,
        earned: job.microDollars / 1_000_000,
        ask: job.ask,
        paidMs: job.paidMs,
      };
    });
}

/** Without the jobs that this host has claimed after the run was first seen. Pure. */
export function ofOthers(runs: readonly SeenRun[], own: readonly OwnJob[]): readonly SeenRun[] {
  const byRun = Map.groupBy(own, ({ run }) => run);
  return runs.map((run) => {
    const claimed = (byRun.get(run.run) ?? []).filter((job) => intervalAt([run], job.from)).length;
    return claimed === 0 ? run : { ...run, jobs: Math.max(0, run.jobs - claimed) };
  });
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
function drawnBid(sorted: readonly number[], lowest: number, random: SeededRandom): number {
  const first = sorted.findIndex((bid) => bid >= lowest);
  if (first < 0) return lowest;
  return sorted[first + Math.floor(random.next() * (sorted.length - first))] ?? lowest;
}

/** The highest bid that was open when a job was claimed, and at least its ask; to be asked in the order of the claims. */
function bestBids(runs: readonly SeenRun[]): (job: Pick<JournaledJob, 'ask' | 'from'>) => number {
  const sorted = runs.toSorted((a, b) => a.firstSeen - b.firstSeen);
  let [next, open] = [0, new Array<SeenRun>()];
  return ({ ask, from }) => {
    open = open.filter((run) => run.lastSeen > from);
    for (let run = sorted[next]; run !== undefined && run.firstSeen <= from; run = sorted[next]) {
      if (run.lastSeen > from) open.push(run);
      next += 1;
    }
    return open.reduce((best, { bid }) => Math.max(best, bid), ask);
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
