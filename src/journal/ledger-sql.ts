import { JOB_STATUS } from '../domain/job.ts';

/** SQL for jobs that the broker has paid. */
export const PAID_JOBS = `state = 'reported' AND json_extract(detail, '$.status')
  IN (${JOB_STATUS.SUCCEEDED}, ${JOB_STATUS.TIMEOUT})`;

/** SQL for the local day of a time in milliseconds, as `localDayOf`. */
export function localDaySql(column: string): string {
  return `strftime('%Y-%m-%d', ${column} / 1000, 'unixepoch', 'localtime')`;
}
