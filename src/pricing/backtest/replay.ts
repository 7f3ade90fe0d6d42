import { decideInSteps } from '../../domain/decide.ts';
import { sortInSteps } from '../../domain/sort-in-steps.ts';
import { finish } from '../../lib/slices.ts';
import { microDollars } from '../money.ts';
import { type AskStretch, type Asks, stretchesOf } from './ask-steps.ts';
import { type Candidate, candidatesOf } from './candidates.ts';
import { IntHeap } from './heap.ts';
import { type Imputed, type Observed, type OwnJob, wentAs } from './observed.ts';
import { type Rules, TAKE_ALL } from './rules.ts';
import { type SlotStep, slotStepsOf } from './slot-count.ts';

/** What would have been sold. Money is US dollars. */
export type Sales = {
  readonly jobs: number;
  readonly busyMs: number;
  readonly paidMs: number;
  readonly earned: number;
  /** Jobs that this host has not run in fact, so how they went is a guess. */
  readonly imputed: number;
};

/** A job that would have run. */
export type Sold = {
  readonly from: number;
  readonly until: number;
  readonly paidMs: number;
  readonly ask: number;
  readonly isImputed: boolean;
};

/** What nobody can know, as one draw of chance has it. Shares are from 0 to 1. */
export type World = {
  /** Answers from 0 up to but not including 1. */
  readonly random: () => number;
  /** The chance to win a job of others that was open. */
  readonly win: number;
  /** How long a run that this host took would have stayed open without it, in milliseconds, drawn for each job. */
  readonly stayMs: () => number;
  /** The part of what nobody saw that was there. */
  readonly unseen: number;
};

/** Each job is won, and what this host took was gone at once for everybody else. */
export function plainWorld(random: () => number): World {
  return { random, win: 1, stayMs: () => 0, unseen: 1 };
}

/** So many small steps are between two yields. */
const STEPS = 32;
/** A slot takes the job that was claimed no longer after, or no longer before: between two jobs a slot is free for a moment. */
const [CLAIM_EARLY_MS, CLAIM_LATE_MS] = [10_000, 1_000];

/** A market that was observed, on which slots can be sold again at other asks. */
export class ReplayMarket {
  readonly #observed: Observed;
  readonly #rules: Rules;
  readonly #candidates: readonly Candidate[];
  readonly #columns: Columns;
  readonly #slots: readonly SlotStep[];
  /** The longest time for which a run may stay open after this host took it, in milliseconds. */
  readonly #maxStayMs: number;

  private constructor(
    observed: Observed,
    rules: Rules,
    columns: Columns,
    slots: readonly SlotStep[],
    maxStayMs: number,
  ) {
    this.#observed = observed;
    this.#rules = rules;
    this.#candidates = columns.candidates;
    this.#columns = columns;
    this.#slots = slots;
    this.#maxStayMs = maxStayMs;
  }

  /** `more` stand for what nobody saw. */
  static *of(
    observed: Observed,
    rules: Rules,
    more: readonly Candidate[] = [],
    maxStayMs = 0,
  ): Generator<void, ReplayMarket> {
    const found = (yield* candidatesOf(observed, rules)).concat(more);
    // The order of the input makes no difference.
    const sorted = yield* sortInSteps(found, byTime);
    const columns = yield* columnsOf(sorted);
    return new ReplayMarket(observed, rules, columns, yield* slotStepsOf(observed), maxStayMs);
  }

  /** Decides in which order the runs would be taken at an ask, by the agent's own `decide`. */
  *at(asks: Asks): Generator<void, Replay> {
    const { from, until } = this.#observed;
    const stretches: Stretch[] = [];
    let [next, active] = [0, new Array<number>()];
    for (const stretch of stretchesOf(asks, from, until)) {
      const open: number[] = [];
      for (const index of active) if (this.#reach(index) >= stretch.from) open.push(index);
      yield;
      for (; (this.#candidates[next]?.from ?? stretch.until) < stretch.until; next += 1) {
        if (this.#reach(next) >= stretch.from) open.push(next);
        if (next % STEPS === 0) yield;
      }
      active = open;
      stretches.push({ ...stretch, order: yield* this.#orderOf(open, stretch) });
    }
    return new Replay(this.#observed, this.#columns, this.#slots, stretches);
  }

  /** Until when a candidate may be open. */
  #reach(index: number): number {
    const candidate = this.#candidates[index];
    if (candidate === undefined) return Number.NEGATIVE_INFINITY;
    return candidate.until + (candidate.own === undefined ? 0 : this.#maxStayMs);
  }

  /** Decided with room for all: a decision with less room takes the first of them. */
  *#orderOf(open: readonly number[], { ask, from }: AskStretch): Generator<void, Int32Array<ArrayBuffer>> {
    const { knowledge, offer } = this.#rules;
    const byUuid = new Map<string, number>();
    const runs = [];
    for (const index of open) {
      const candidate = this.#candidates[index];
      if (candidate === undefined) continue;
      byUuid.set(candidate.open.run.uuid, index);
      runs.push(candidate.open);
      if (runs.length % STEPS === 0) yield;
    }
    const priced = { ...offer, askPrice: ask };
    const verdicts = yield* decideInSteps(runs, priced, Number.POSITIVE_INFINITY, knowledge, from);
    const order: number[] = [];
    for (const verdict of verdicts) {
      const index = byUuid.get(verdict.open.run.uuid);
      if (verdict.kind === 'take' && index !== undefined) order.push(index);
      if (order.length % STEPS === 0) yield;
    }
    return new Int32Array(order);
  }
}

/** The candidates' figures, which each world begins with. */
type Columns = {
  readonly candidates: readonly Candidate[];
  readonly from: Float64Array;
  readonly until: Float64Array;
  readonly jobs: Int32Array;
  /** Those of which a world draws something. */
  readonly drawn: readonly number[];
  /** When own jobs were claimed in fact, in that order. */
  readonly claims: readonly { readonly index: number; readonly at: number }[];
};

function* columnsOf(candidates: readonly Candidate[]): Generator<void, Columns> {
  const count = candidates.length;
  const columns = {
    candidates,
    from: new Float64Array(count),
    until: new Float64Array(count),
    jobs: new Int32Array(count),
    drawn: new Array<number>(),
    claims: new Array<{ readonly index: number; readonly at: number }>(),
  };
  for (const [index, { from, isUnseen, jobs, own, until }] of candidates.entries()) {
    columns.from[index] = from;
    columns.until[index] = until;
    columns.jobs[index] = jobs;
    if (isUnseen || own !== undefined) columns.drawn.push(index);
    if (own !== undefined) columns.claims.push({ index, at: own.from });
    yield;
  }
  columns.claims.sort((a, b) => a.at - b.at || a.index - b.index);
  return columns;
}

function byTime(a: Candidate, b: Candidate): number {
  return a.from - b.from || (a.open.run.uuid < b.open.run.uuid ? -1 : 1);
}

type Stretch = AskStretch & { readonly order: Int32Array<ArrayBuffer> };

/** Slots that are sold again at one ask, or asks in their order, as often as there are worlds. */
export class Replay {
  readonly #observed: Observed;
  readonly #columns: Columns;
  readonly #slots: readonly SlotStep[];
  readonly #stretches: readonly Stretch[];
  readonly #ranks: Ranks;
  readonly #heap: IntHeap;

  constructor(
    observed: Observed,
    columns: Columns,
    slots: readonly SlotStep[],
    stretches: readonly Stretch[],
  ) {
    this.#observed = observed;
    this.#columns = columns;
    this.#slots = slots;
    this.#stretches = stretches;
    this.#ranks = new Ranks(columns.candidates.length);
    this.#heap = new IntHeap(columns.candidates.length);
  }

  /** Each job that would have run in a world, in the order of the claims; a `yield` follows each small part of the work. */
  *sell(world: World, sold: (job: Sold) => void): Generator<void, void> {
    const { from, until } = this.#observed;
    const pass = new Pass(this.#columns, this.#ranks, this.#heap, world);
    let running = runningAt(this.#observed);
    let [stretchAt, slotAt] = [-1, 0];
    for (let [now, steps] = [from, 0]; now < until; steps += 1) {
      if (steps % STEPS === STEPS - 1) yield;
      while ((this.#stretches[stretchAt + 1]?.from ?? until) <= now) {
        stretchAt += 1;
        pass.enter(this.#stretches[stretchAt], now);
      }
      while ((this.#slots[slotAt + 1]?.from ?? until) <= now) slotAt += 1;
      const ask = this.#stretches[stretchAt]?.ask;
      if (ask === undefined) return;
      const slots = this.#slots[slotAt]?.slots ?? 0;
      running = running.filter((end) => end > now);
      while (running.length < slots) {
        const taken = pass.take(now);
        if (taken === undefined) break;
        running.push(now + Math.max(taken.ms, 1));
        // What runs beyond the end counts as far as it was observed, as the ledger's jobs do.
        const end = Math.min(now + taken.ms, until);
        const paidMs = Math.min(taken.paidMs, end - now);
        sold({ from: now, until: end, paidMs, ask, isImputed: taken.isImputed });
      }
      let next = Math.min(
        this.#slots[slotAt + 1]?.from ?? until,
        this.#stretches[stretchAt + 1]?.from ?? until,
      );
      if (running.length < slots) next = Math.min(next, pass.nextArrival(next));
      else if (slots > 0) for (const end of running) next = Math.min(next, end);
      now = next;
    }
  }
}

/** The slots of jobs that were claimed before are taken. */
function runningAt({ from, own }: Observed): number[] {
  return own.filter((job) => job.from < from && job.until > from).map((job) => job.until);
}

/** The places of the candidates in the order that holds; kept from world to world, because it is mostly the same. */
class Ranks {
  /** By candidate; -1: the order does not have it. */
  readonly places: Int32Array;
  #order = new Int32Array();

  constructor(candidates: number) {
    this.places = new Int32Array(candidates).fill(-1);
  }

  get order(): Int32Array {
    return this.#order;
  }

  set order(order: Int32Array<ArrayBuffer>) {
    if (order === this.#order) return;
    for (let place = 0; place < this.#order.length; place += 1) this.places[this.#order[place] ?? 0] = -1;
    this.#order = order;
    for (let place = 0; place < order.length; place += 1) this.places[order[place] ?? 0] = place;
  }
}

type Taken = Imputed & { readonly isImputed: boolean };

/** One pass over the candidates in time: which are open, in the order of the decision. */
class Pass {
  readonly #candidates: readonly Candidate[];
  readonly #from: Float64Array;
  readonly #ranks: Ranks;
  readonly #heap: IntHeap;
  readonly #world: World;
  readonly #left: Int32Array;
  readonly #until: Float64Array;
  readonly #claims: Columns['claims'];
  #next = 0;
  #nextClaim = 0;

  constructor(columns: Columns, ranks: Ranks, heap: IntHeap, world: World) {
    const { candidates, claims, drawn, from, jobs, until } = columns;
    this.#candidates = candidates;
    this.#claims = claims;
    this.#from = from;
    this.#ranks = ranks;
    this.#heap = heap;
    this.#world = world;
    this.#left = jobs.slice();
    this.#until = until.slice();
    heap.clear();
    for (const index of drawn) {
      const isOwn = candidates[index]?.own !== undefined;
      if (isOwn) this.#until[index] = (until[index] ?? 0) + world.stayMs();
      else if (world.random() >= world.unseen) this.#left[index] = 0;
    }
  }

  /** Another ask holds from now on. */
  enter(stretch: Stretch | undefined, now: number): void {
    if (stretch === undefined) return;
    this.#ranks.order = stretch.order;
    this.#heap.clear();
    if (this.#next === 0) return;
    for (let place = 0; place < stretch.order.length; place += 1) {
      const index = stretch.order[place] ?? 0;
      if (index < this.#next && this.#isOpen(index, now)) this.#heap.push(place);
    }
  }

  /** Claims the best that is open; undefined: nothing is, or nothing is known of how it would go. */
  take(now: number): Taken | undefined {
    this.#arrive(now);
    const claimed = this.#claimedAbout(now);
    if (claimed !== undefined) return { ...wentAs(claimed), isImputed: false };
    for (let place = this.#heap.peek(); place >= 0; place = this.#heap.peek()) {
      const index = this.#ranks.order[place] ?? -1;
      const candidate = this.#candidates[index];
      if (candidate === undefined || !this.#isOpen(index, now)) {
        this.#heap.pop();
        continue;
      }
      this.#left[index] = (this.#left[index] ?? 0) - 1;
      const { random, win } = this.#world;
      if (candidate.own !== undefined) return { ...wentAs(candidate.own), isImputed: false };
      if (win < 1 && random() >= win) continue;
      const like = candidate.like[Math.floor(random() * candidate.like.length)];
      if (like !== undefined) return { ...wentAs(like), isImputed: true };
    }
    return undefined;
  }

  /** What the agent claimed in fact at about this time was the best of all that it knew then. */
  #claimedAbout(now: number): OwnJob | undefined {
    for (; (this.#claims[this.#nextClaim]?.at ?? now) < now - CLAIM_LATE_MS; this.#nextClaim += 1);
    for (let next = this.#nextClaim; ; next += 1) {
      const claim = this.#claims[next];
      if (claim === undefined || claim.at > now + CLAIM_EARLY_MS) return undefined;
      if ((this.#left[claim.index] ?? 0) === 0 || (this.#ranks.places[claim.index] ?? -1) < 0) continue;
      this.#left[claim.index] = 0;
      return this.#candidates[claim.index]?.own;
    }
  }

  /** When the next run comes that the ask admits, but no later than `until`. */
  nextArrival(until: number): number {
    for (; this.#next < this.#from.length; this.#next += 1) {
      const from = this.#from[this.#next] ?? until;
      if (from >= until) return until;
      if ((this.#ranks.places[this.#next] ?? -1) >= 0 && (this.#left[this.#next] ?? 0) > 0) return from;
    }
    return until;
  }

  #arrive(now: number): void {
    for (; (this.#from[this.#next] ?? Number.POSITIVE_INFINITY) <= now; this.#next += 1) {
      const place = this.#ranks.places[this.#next] ?? -1;
      if (place >= 0 && this.#isOpen(this.#next, now)) this.#heap.push(place);
    }
  }

  #isOpen(index: number, now: number): boolean {
    return (this.#left[index] ?? 0) > 0 && (this.#until[index] ?? 0) >= now;
  }
}

/** Sells the slots once, each job of others being won. Money is summed in millionths. Pure but for `random`. */
export function replay(observed: Observed, asks: Asks, random: () => number, rules = TAKE_ALL): Sales {
  const market = finish(ReplayMarket.of(observed, rules));
  return finish(salesOf(finish(market.at(asks)), plainWorld(random)));
}

/** What one world brings. */
export function* salesOf(of: Replay, world: World): Generator<void, Sales> {
  let [jobs, busyMs, paidMs, earned, imputed] = [0, 0, 0, 0, 0];
  const add = (job: Sold): void => {
    jobs += 1;
    busyMs += job.until - job.from;
    paidMs += job.paidMs;
    earned += microDollars((job.ask * job.paidMs) / 60_000);
    imputed += job.isImputed ? 1 : 0;
  };
  yield* of.sell(world, add);
  return { jobs, busyMs, paidMs, earned: earned / 1_000_000, imputed };
}
