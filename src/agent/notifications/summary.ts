import type { DaySums, JobSums } from '../../domain/ports/job-sums.ts';
import type { Summary } from '../../domain/ports/notifications.ts';

/** The journal's sums begin at quarters of an hour. */
const QUARTER_MS = 900_000;

/** The quarter of an hour that an instant is in. */
export function toQuarter(at: number): number {
  return Math.floor(at / QUARTER_MS) * QUARTER_MS;
}

/**
 * What ended from one quarter of an hour up to another, so that each job is in just one summary; and what is pending.
 * Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE.
 */
export function summaryBetween(
  sums: Pick<JobSums, 'pending' | 'since'>,
  since: number,
  until: number,
): Summary {
  const [all, later] = [sums.since(since), sums.since(until)];
  const left = (outcome: keyof DaySums['jobs']): number => all.jobs[outcome] - later.jobs[outcome];
  return {
    since,
    until,
    jobs: {
      succeeded: left('succeeded'),
      failed: left('failed'),
      timeout: left('timeout'),
      released: left('released'),
      cancelled: left('cancelled'),
    },
    earned: Math.max(all.earned - later.earned, 0),
    pending: sums.pending(),
  };
}
