import { SKIP_REASONS, type SkipReason } from '../../domain/decide.ts';
import { JOB_STATUS } from '../../domain/job.ts';
import type { Expected, Sample } from './samples.ts';

/** A job at the broker after the dry run. */
export type SeenJob = { readonly status: number; readonly result: string; readonly cost: number };

/** One sample after the dry run: its jobs at the broker, and why the agent skipped its run, if it did. */
export type Seen = {
  readonly sample: Sample;
  readonly jobs: readonly SeenJob[];
  readonly skipped: SkipReason | undefined;
};

/** A row of the table at the end. Money in US dollars. */
export type OutcomeRow = {
  readonly run: string;
  readonly shows: string;
  readonly bid: number;
  readonly jobs: number;
  readonly outcome: string;
  readonly earned: number;
  /** How it differs from the expected outcome; undefined if it does not. */
  readonly wrong: string | undefined;
};

/** Compares a sample's outcome with the expected one. Pure. */
export function outcomeOf({ jobs, sample, skipped }: Seen): OutcomeRow {
  const words = new Set(jobs.map(({ status }) => statusName(status)));
  const ran = [...words].join(', ');
  const untouched = jobs.every(({ status }) => status === JOB_STATUS.CREATED);
  return {
    run: sample.name,
    shows: sample.shows,
    bid: sample.bid,
    jobs: jobs.length,
    outcome: untouched && skipped !== undefined ? `skipped: ${SKIP_REASONS[skipped]}` : ran,
    // Adding fractions of a cent leaves rounding errors in the last digits.
    earned: Number(jobs.reduce((sum, { cost }) => sum + cost, 0).toFixed(6)),
    wrong: difference(sample.expected, jobs, skipped),
  };
}

function difference(
  expected: Expected,
  jobs: readonly SeenJob[],
  skipped: SkipReason | undefined,
): string | undefined {
  if (expected.kind === 'skip') {
    const untouched = jobs.every(({ status }) => status === JOB_STATUS.CREATED);
    return untouched && skipped === expected.reason
      ? undefined
      : `expected to be skipped: ${expected.reason}`;
  }
  if (!jobs.every(({ status }) => statusName(status) === expected.status))
    return `expected: ${expected.status}`;
  const results = jobs.map(({ result }) => result);
  if (expected.results !== undefined && JSON.stringify(results) !== JSON.stringify(expected.results)) {
    return `expected the results ${JSON.stringify(expected.results)}, got ${JSON.stringify(results)}`;
  }
  const paid = jobs.every(({ cost }) => cost > 0);
  return paid === (expected.status !== 'FAILED') ? undefined : 'paid, or not paid, against the rules';
}

function statusName(status: number): string {
  return Object.entries(JOB_STATUS).find(([, value]) => value === status)?.[0] ?? String(status);
}
