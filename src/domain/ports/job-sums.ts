import type { EarningsSums } from '../earnings.ts';
import type { LocalDay } from '../local-day.ts';

/** How many jobs came to an end since some time, by outcome, and what the broker has confirmed for them. */
export type DaySums = {
  readonly jobs: {
    readonly succeeded: number;
    readonly failed: number;
    readonly timeout: number;
    /** Back on the market, because this host could not run them or its owner took it back. */
    readonly released: number;
    /** Taken back by the broker, or no longer ours when they were reported. */
    readonly cancelled: number;
  };
  /** US dollars. */
  readonly earned: number;
};

/** What the jobs of an offer with this outcome came to since the journal began; none of it ever falls. */
export type JobTotal = {
  readonly offer: string;
  readonly outcome: keyof DaySums['jobs'];
  readonly jobs: number;
  /** US dollars that the broker has confirmed. */
  readonly earned: number;
};

/** What the broker has not confirmed yet, and what its reports should earn in US dollars. */
export type JobsPending = { readonly reports: number; readonly releases: number; readonly earned: number };

/** What the power of a day's jobs has cost, and what that leaves, in micro-dollars; null where it is not known. */
export type DayCost = Pick<EarningsSums, 'netMicroDollars' | 'powerCostMicroDollars' | 'unpricedJobs'>;
/** For how long jobs kept slots busy, and for how much of it they were paid, in milliseconds. */
export type PaidTime = { readonly busyMs: number; readonly paidMs: number };

/** Sums over the journal's jobs. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface JobSums {
  /** What has ended since this time of the wall clock, to the quarter of an hour that begins there. */
  since(fromMs: number): DaySums;
  pending(): JobsPending;
  costOf(day: LocalDay): DayCost;
  /** Of the latest jobs that ended. */
  paidTime(): PaidTime;
}
