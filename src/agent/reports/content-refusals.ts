import { JOB_STATUS, type Report } from '../../domain/job.ts';

/** How often in a row, and with which status, a broker refused what a report says. */
export type ContentRefusals = { readonly status: number | undefined; readonly count: number };

export const NOT_REFUSED: ContentRefusals = { status: undefined, count: 0 };

/** With these statuses a broker refuses what a report says. With others, such as 404, its length does not matter. */
const CONTENT_STATUSES: readonly (number | undefined)[] = [400, 413, 422];

/** After so many refusals of its content with one status a report is sent without a result, and then dropped. */
const MAX_REFUSALS = 5;

/** How much of an output is sent after the broker has refused all of it, in characters. */
const SHORT_OUTPUT = 16_384;

/** Whether a broker that answers with this status refuses what a report says. */
export function isContentRefusal(status: number | undefined): boolean {
  return CONTENT_STATUSES.includes(status);
}

/** Whether the broker has refused a report even without its result. */
export function isRefusedForGood({ count }: ContentRefusals): boolean {
  return count > MAX_REFUSALS;
}

/** One more refusal: counts from 1 for another status; a report that went without its result stays so. */
export function contentRefused(before: ContentRefusals, status: number | undefined): ContentRefusals {
  const isAlike = before.status === status || before.count >= MAX_REFUSALS;
  return { status, count: isAlike ? before.count + 1 : 1 };
}

/** What is sent of a report whose content was refused so often. Pure. */
export function deliverable(report: Report, { count: refusals }: ContentRefusals): Report {
  if (refusals === 0) return report;
  return refusals < MAX_REFUSALS ? shortened(report) : withoutResult(report);
}

/** The report of a job that the broker takes no result of. A timeout stays one, since it is paid without a result. */
function withoutResult({ status }: Report): Report {
  const stderr =
    '[sharedcloud-agent] result too large for this broker, which refused the report again and again\n';
  const sent = status === JOB_STATUS.SUCCEEDED ? JOB_STATUS.FAILED : status;
  return { status: sent, buildLogs: '', stdout: '', stderr, result: '' };
}

/** The report with the ends of its outputs, which say most, and a result without NUL, which databases refuse. */
function shortened(report: Report): Report {
  const end = (text: string): string =>
    text.length <= SHORT_OUTPUT
      ? text
      : `[sharedcloud-agent] only the end, the broker refused the whole\n${text.slice(-SHORT_OUTPUT)}`;
  const result = report.result.replaceAll('\0', '\uFFFD');
  return { ...report, stdout: end(report.stdout), stderr: end(report.stderr), result };
}
