import type { Observed } from '../backtest/observed.ts';

/** What buyers bid lately for jobs like those of this host. Prices are US dollars per job and minute. */
export type Demand = {
  /** The bids of the jobs that this host ran. */
  readonly own: readonly number[];
  /** Runs that were open for lack of a host at their bid, or of a free one. */
  readonly left: readonly { readonly bid: number; readonly jobs: number }[];
  /** How many more jobs like its own the host had time for. */
  readonly spare: number;
};

/** The demand since an instant (milliseconds since the epoch). Pure. */
export function demandSince({ from, own, seen, slots, until }: Observed, since: number): Demand {
  const recent = own.filter((job) => job.from > since);
  return {
    own: recent.map(({ bid }) => bid),
    left: seen.filter(({ isUnsuitable, lastSeen }) => lastSeen > since && isUnsuitable !== true),
    spare: spareJobs(recent, (until - Math.max(from, since)) * slots),
  };
}

function spareJobs(own: Observed['own'], ms: number): number {
  const busyMs = own.reduce((sum, job) => sum + job.until - job.from, 0);
  return busyMs > 0 ? (Math.max(0, ms - busyMs) / busyMs) * own.length : Number.POSITIVE_INFINITY;
}

/** A few jobs of others weigh nothing: they may be one buyer's. */
const FEW_JOBS = 3;

/**
 * Whether the jobs that were left between two asks would have brought, as far as there was time, `times` as much as the lower ask takes off the jobs
 * that were sold. `cost` is that of a busy minute. Pure.
 */
export function paysToFall(
  demand: Demand,
  {
    cost,
    high,
    low,
    times,
  }: { readonly low: number; readonly high: number; readonly cost: number; readonly times: number },
): boolean {
  const gained = Math.min(leftBetween(demand, low, high) - FEW_JOBS, demand.spare) * (low - cost);
  return gained > times * demand.own.length * (high - low);
}

/**
 * Whether the jobs whose buyers bid enough for a higher ask would bring `times` as much more as is lost with the others.
 * While all slots are busy, jobs that were left above the higher ask take the place of lost ones. Pure.
 */
export function paysToRise(
  demand: Demand,
  {
    cost,
    high,
    isBusy,
    low,
    times,
  }: {
    readonly low: number;
    readonly high: number;
    readonly cost: number;
    readonly times: number;
    readonly isBusy: boolean;
  },
): boolean {
  const below = demand.own.filter((bid) => bid < high).length;
  const replaced = isBusy ? leftBetween(demand, high, Number.POSITIVE_INFINITY) : 0;
  const lost = Math.max(0, below - replaced);
  return (demand.own.length - lost) * (high - low) > times * lost * (low - cost);
}

function leftBetween({ left }: Demand, low: number, high: number): number {
  return left.reduce((sum, { bid, jobs }) => sum + (bid >= low && bid < high ? jobs : 0), 0);
}
