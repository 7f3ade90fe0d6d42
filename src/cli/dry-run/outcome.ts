import { SKIP_REASONS, type SkipReason } from '../../domain/decide.ts';
import { JOB_STATUS } from '../../domain/job.ts';
import type { Expected, Sample } from './samples.ts';

/** A job as the broker has it at the end. */
export type SeenJob = { readonly status: number; readonly result: string; readonly cost: number };

/** What became of one sample: its jobs at the broker, and why the agent skipped its run, if it did. */
export type Seen = {
  readonly sample: Sample;
  readonly jobs: readonly SeenJob[];
  readonly skipped: SkipReason | undefined;
};

/** A line of the table at the end. Money in US dollars. */
export type OutcomeRow = {
  readonly run: string;
  readonly shows: string;
  readonly bid: number;
  readonly jobs: number;
  readonly outcome: string;
  readonly earned: number;
  /** What should have come out instead; undefined where all is well. */
  readonly wrong: string | undefined;
};

/** Compares what became of a sample with what should have. Pure. */
export function outcomeOf({ jobs, sample, skipped }: Seen): OutcomeRow {
  const words = new Set(jobs.map(({ status }) => wordFor(status)));
  const ran = [...words].join(', ');
  const untouched = jobs.every(({ status }) => status === JOB_STATUS.CREATED);
  return {
    run: sample.name,
    shows: sample.shows,
    bid: sample.bid,
    jobs: jobs.length,
    outcome: untouched && skipped !== undefined ? `skipped: ${SKIP_REASONS[skipped]}` : ran,
    // Sums of fractions of a cent have digits at their end that nobody earned.
    earned: Number(jobs.reduce((sum, { cost }) => sum + cost, 0).toFixed(6)),
    wrong: whatIsWrong(sample.expected, jobs, skipped),
  };
}

function whatIsWrong(
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
  if (!jobs.every(({ status }) => wordFor(status) === expected.status)) return `expected: ${expected.status}`;
  const results = jobs.map(({ result }) => result);
  if (expected.results !== undefined && JSON.stringify(results) !== JSON.stringify(expected.results)) {
    return `expected the results ${JSON.stringify(expected.results)}, got ${JSON.stringify(results)}`;
  }
  const paid = jobs.every(({ cost }) => cost > 0);
  return paid === (expected.status !== 'FAILED') ? undefined : 'paid wrongly';
}

function wordFor(status: number): string {
  return Object.entries(JOB_STATUS).find(([, value]) => value === status)?.[0] ?? String(status);
}
