import type { Report } from '../../domain/job.ts';
import type { JobChange, JobDetails } from '../../journal/job-details.ts';
import { type JobSummary, outcomeOf } from '../../journal/job-summary.ts';

/** All about a job, and the whole report until the broker has accepted it; then it is deleted from the journal. */
export type ShownJob = { readonly details: JobDetails; readonly report: Report | null };

/** A job as `jobs --json` prints it. Times are ISO 8601; what is not known, or not yet, is null. */
export function summaryJson(job: JobSummary): object {
  return { ...job, claimedAt: iso(job.claimedAt), updatedAt: iso(job.updatedAt) };
}

/** A job as `jobs show --json` prints it. */
export function detailsJson({ details, report }: ShownJob): object {
  const { history, ...facts } = details;
  return {
    ...facts,
    claimedAt: iso(details.claimedAt),
    updatedAt: iso(details.updatedAt),
    startedAt: iso(details.startedAt),
    endedAt: iso(details.endedAt),
    buildLogs: report?.buildLogs ?? details.buildLogs,
    report: report && { ...report, status: outcomeOf(report.status) },
    history: history.map(changeJson),
  };
}

/** What a change does not say is left out. */
function changeJson({ at, outcome, state, ...facts }: JobChange): object {
  const known = Object.entries(facts).filter(([, value]) => value !== null);
  return { ...Object.fromEntries(known), state, at: iso(at), outcome };
}

function iso(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString();
}
