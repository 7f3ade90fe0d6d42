import { earnings, JOB_STATUS, type Report } from '../../../domain/job.ts';
import { Refusal } from './refusal.ts';
import type { JobRow } from './rows.ts';

/** What an instance asks for a job. */
export type JobRequest =
  | { readonly kind: 'claim' }
  | { readonly kind: 'release' }
  | { readonly kind: 'report'; readonly report: Report };

/** The requesting instance, and whether it is eligible for the job's run. */
export type Claimant = {
  readonly uuid: string;
  readonly askPrice: number;
  /** Why this instance cannot win the job; undefined: it can. */
  readonly ineligible: string | undefined;
};

/**
 * The job after the request, or the same row for a repeated request, which is safe after a lost answer. Throws a Refusal:
 * conflict if another instance has the job or it has ended, forbidden if the claimant cannot win it.
 */
export function changeJob(job: JobRow, request: JobRequest, by: Claimant, now: number): JobRow {
  if (request.kind === 'claim') return claimed(job, by, now);
  if (hasHappened(job, request, by)) return job;
  if (!isHeld(job, by)) throw conflict('This job is not held by this instance.');
  return request.kind === 'release' ? unclaimed(job) : ended(job, request.report, now);
}

/** The job back on the market, as if it had never been claimed. */
export function unclaimed(job: JobRow): JobRow {
  return { ...job, status: JOB_STATUS.CREATED, instance: null, askPrice: null, assignedAt: null };
}

/** Whether the job will never change again. */
export function hasEnded(job: JobRow): boolean {
  return job.status !== JOB_STATUS.CREATED && job.status !== JOB_STATUS.IN_PROGRESS;
}

/** From the claim to the report, in milliseconds; undefined while it has not ended. */
export function durationMs(job: JobRow): number | undefined {
  if (job.finishedAt === null || job.assignedAt === null) return undefined;
  return Math.max(0, job.finishedAt - job.assignedAt);
}

function isHeld(job: JobRow, by: Claimant): boolean {
  return job.status === JOB_STATUS.IN_PROGRESS && job.instance === by.uuid;
}

function hasHappened(job: JobRow, request: Exclude<JobRequest, { kind: 'claim' }>, by: Claimant): boolean {
  if (request.kind === 'release') return job.status === JOB_STATUS.CREATED;
  return job.status === request.report.status && job.instance === by.uuid;
}

function claimed(job: JobRow, by: Claimant, now: number): JobRow {
  if (isHeld(job, by)) return job;
  if (job.status !== JOB_STATUS.CREATED) throw conflict('This job is taken or has ended.');
  if (by.ineligible !== undefined) throw new Refusal('forbidden', { detail: by.ineligible });
  return {
    ...job,
    status: JOB_STATUS.IN_PROGRESS,
    instance: by.uuid,
    askPrice: by.askPrice,
    assignedAt: now,
  };
}

function ended(job: JobRow, report: Report, now: number): JobRow {
  const finished = { ...job, ...report, finishedAt: now };
  return { ...finished, cost: earnings(report.status, job.askPrice ?? 0, durationMs(finished) ?? 0) };
}

function conflict(detail: string): Refusal {
  return new Refusal('conflict', { detail });
}
