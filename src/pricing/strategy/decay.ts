import { type Demand, demandSince, paysToFall, paysToRise } from './demand.ts';
import {
  type Answer,
  atOnce,
  type ChangeReason,
  type Memory,
  type Situation,
  type Strategy,
} from './strategy.ts';

const HOUR_MS = 3_600_000;

/** Each so long without a job takes a tenth off the ask. */
const IDLE_MS = 4 * HOUR_MS;
const DISCOUNT = 0.9;

/** The demand of so long says where the reference should be. */
const DEMAND_MS = 48 * HOUR_MS;
/** How far the reference moves in an hour, and how far beyond it demand is looked at. */
const [UP, DOWN] = [1.02, 0.98];
const STEP = 0.1;
/** In an hour it comes back so far to the owner's ask, while slots are idle: what others took at once was never seen. */
const BACK = 0.997;
/** The lowest reference, as a part of the owner's ask. */
const MIN_PART = 0.3;

/** The busy share is a mean over about so many hours; above one share slots count as busy, below the other as idle. */
const BUSY_HOURS = 12;
const [BUSY, IDLE] = [0.9, 0.3];
/** A move must promise so much more than it costs, and a rise of a host with idle slots needs so many jobs to go by. */
const TIMES = { busy: 2, rise: 3, fall: 3 } as const;
const ENOUGH_JOBS = 10;

/** What is remembered from hour to hour. */
type State = {
  /** The ask after a job; US dollars per job and minute. */
  readonly reference: number;
  readonly busyShare: number;
  /** Tenths taken off since the last job, and idle spells that were considered for it. */
  readonly discounts: number;
  readonly spells: number;
};

/**
 * Asks a reference after each job, and a tenth less after each four idle hours, as long as runs are left open below the ask.
 * The reference begins at the owner's ask. It follows what buyers bid, never the asks at which own jobs were sold.
 */
export const DECAY: Strategy = { needs: ['market'], next: atOnce(decay) };

function decay(situation: Situation, memory: Memory): Answer {
  const before = stateOf(situation, memory);
  const observed = situation.observed();
  if (observed === undefined || situation.idleMs.length === 0) return { choice: undefined, memory };
  const demand = demandSince(observed, situation.now - DEMAND_MS);
  const busyShare = before.busyShare + (busyOf(situation.idleMs) - before.busyShare) / BUSY_HOURS;
  const moved = movedReference({ ...before, busyShare }, demand, situation);
  const state = discounted({ ...moved.state, busyShare }, demand, situation);
  const next = state.reference * DISCOUNT ** state.discounts;
  return {
    choice: { ask: next, reason: reasonOf(before, state, moved.reason) },
    memory: state,
    terms: { referenceDollars: state.reference, busyShare, discounts: state.discounts },
  };
}

function stateOf({ start }: Situation, memory: Memory): State {
  const { busyShare = 0.5, discounts = 0, reference = start, spells = 0 } = memory;
  return { busyShare, discounts, reference, spells };
}

/** The part of the last hour in which slots had a job, as far as one can see from how long they are idle. */
function busyOf(idleMs: readonly number[]): number {
  return idleMs.reduce((sum, ms) => sum + 1 - Math.min(ms, HOUR_MS) / HOUR_MS, 0) / idleMs.length;
}

function movedReference(
  state: State,
  demand: Demand,
  situation: Situation,
): { readonly state: State; readonly reason: ChangeReason } {
  const { busyShare, reference } = state;
  const cost = costOf(situation);
  const isBusy = busyShare > BUSY;
  const high = reference * (1 + STEP);
  const rise = { low: reference, high, cost, isBusy, times: isBusy ? TIMES.busy : TIMES.rise };
  if (demand.own.length >= (isBusy ? 1 : ENOUGH_JOBS) && paysToRise(demand, rise))
    return { state: { ...state, reference: kept(reference * UP, situation) }, reason: 'demand-above' };
  const fall = { low: reference * (1 - STEP), high: reference, cost, times: TIMES.fall };
  if (!isBusy && paysToFall(demand, fall))
    return { state: { ...state, reference: kept(reference * DOWN, situation) }, reason: 'demand-below' };
  if (busyShare < IDLE && reference > situation.start)
    return {
      state: { ...state, reference: Math.max(situation.start, reference * BACK) },
      reason: 'undecided',
    };
  return { state, reason: 'limit-gone' };
}

/** A reference beyond the limits would take hours to come back. */
function kept(
  reference: number,
  { floor = 0, max = Number.POSITIVE_INFINITY, min = 0, start }: Situation,
): number {
  return Math.min(Math.max(reference, start * MIN_PART, floor, min), max);
}

function discounted(state: State, demand: Demand, situation: Situation): State {
  const spells = Math.floor(Math.max(...situation.idleMs) / IDLE_MS);
  const fresh = situation.ended.length > 0 ? { ...state, discounts: 0, spells: 0 } : state;
  if (spells <= fresh.spells) return { ...fresh, spells };
  const ask = fresh.reference * DISCOUNT ** fresh.discounts;
  const fall = { low: ask * DISCOUNT, high: ask, cost: costOf(situation), times: 1 };
  const more = paysToFall(demand, fall) ? spells - fresh.spells : 0;
  return { ...fresh, spells, discounts: fresh.discounts + more };
}

/** What a busy minute costs of what is asked, with the broker's fee: the floor without unpaid minutes. */
function costOf({ floor = 0, paidShare }: Situation): number {
  return floor * paidShare;
}

function reasonOf(before: State, after: State, moved: ChangeReason): ChangeReason {
  if (after.discounts > before.discounts) return 'idle';
  return after.discounts < before.discounts ? 'sold' : moved;
}
