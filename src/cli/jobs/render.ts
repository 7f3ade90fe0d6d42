import { JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import type { NetworkUse } from '../../domain/network-use.ts';
import { readableDuration, readableEarnings } from '../../lib/readable.ts';
import { shortIds } from '../../lib/short-id.ts';
import { count } from '../count.ts';
import { type Page } from '../lines.ts';
import { type Column, table } from '../table.ts';

/** A job as `jobs --json` prints it. Times are ISO 8601; what is not known, or not yet, is null. */
export type JobSummary = {
  readonly job: string;
  readonly run: string;
  readonly function: string;
  readonly offer: string;
  readonly gpu: string | null;
  readonly image: string;
  /** See the states of a job in domain/job.ts. */
  readonly state: JobRecord['state']['name'];
  /** How it ended. */
  readonly outcome: 'succeeded' | 'failed' | 'timeout' | null;
  /** Why it was released, cancelled or dropped. */
  readonly why: string | null;
  readonly durationMs: number | null;
  /** US dollars per job and minute, when it was claimed. */
  readonly askPrice: number;
  /** US dollars, once the broker has accepted the report. */
  readonly earned: number | null;
  /** Bytes at the job's network interface, so far. */
  readonly sentBytes: number | null;
  readonly receivedBytes: number | null;
  /** Its IPv4 address in the jobs' network. */
  readonly address: string | null;
  readonly claimedAt: string;
  readonly updatedAt: string;
};

/** A job in the journal, and how it has used the network, where that is known. */
export type ListedJob = { readonly record: JobRecord; readonly use: NetworkUse | undefined };

/** What the journal has of a job, without its output. `now` is in milliseconds of the wall clock. */
export function summaryOf({ record, use }: ListedJob, now: number): JobSummary {
  const { state } = record;
  return {
    job: record.uuid,
    run: record.run,
    function: record.functionName,
    offer: record.offerKey,
    gpu: record.gpu,
    image: record.image,
    state: state.name,
    outcome:
      'report' in state ? outcomeOf(state.report.status) : 'status' in state ? outcomeOf(state.status) : null,
    why: 'why' in state ? state.why : null,
    durationMs: durationOf(record, now),
    askPrice: record.askPrice,
    earned: state.name === 'reported' ? state.earned : null,
    sentBytes: use?.traffic?.sentBytes ?? null,
    receivedBytes: use?.traffic?.receivedBytes ?? null,
    address: use?.address ?? null,
    claimedAt: new Date(record.claimedAt).toISOString(),
    updatedAt: new Date(record.updatedAt).toISOString(),
  };
}

/** The jobs as a table for people, with their total earnings. */
export function jobsTable(listed: readonly ListedJob[], now: number, page: Page): string {
  const jobs = listed.map((job) => summaryOf(job, now));
  if (jobs.length === 0) return 'no job has run here yet\n';
  const earned = jobs.reduce((sum, job) => sum + (job.earned ?? 0), 0);
  return `${table(COLUMNS, jobs, page)}\n${count(jobs.length, 'job')}, earned ${readableEarnings(earned)}\n`;
}

const COLUMNS: readonly Column<JobSummary>[] = [
  { title: 'JOB', cell: (job) => shortIds(job.job) },
  { title: 'FUNCTION', cell: (job) => job.function, wrap: true },
  { title: 'STATE', cell: stateText, wrap: true },
  {
    title: 'DURATION',
    cell: (job) => (job.durationMs === null ? '' : readableDuration(job.durationMs)),
    right: true,
  },
  { title: 'EARNED', cell: (job) => (job.earned === null ? '' : readableEarnings(job.earned)), right: true },
  { title: 'WHEN', cell: (job) => localTime(new Date(job.claimedAt)) },
];

/** The state of a job and how or why it came to it. */
export function stateText(job: JobSummary): string {
  if (job.outcome === null) return job.why === null ? job.state : `${job.state}: ${job.why}`;
  return job.state === 'reported' ? job.outcome : `${job.outcome}, not reported yet`;
}

/** How a job ended, by the broker's number; null for none. */
export function outcomeOf(status: number | undefined): JobSummary['outcome'] {
  return OUTCOMES[status ?? 0] ?? null;
}

const OUTCOMES: Readonly<Partial<Record<number, NonNullable<JobSummary['outcome']>>>> = {
  [JOB_STATUS.SUCCEEDED]: 'succeeded',
  [JOB_STATUS.FAILED]: 'failed',
  [JOB_STATUS.TIMEOUT]: 'timeout',
};

function durationOf({ state }: JobRecord, now: number): number | null {
  if (state.name === 'running') return Math.max(0, now - state.startedAt);
  return 'durationMs' in state ? state.durationMs : null;
}

/** A time of this host's time zone, to the minute or to the second. */
export function localTime(time: Date, to: 'minutes' | 'seconds' = 'minutes'): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  const clock = [time.getHours(), time.getMinutes(), ...(to === 'seconds' ? [time.getSeconds()] : [])];
  return `${day} ${clock.map(two).join(':')}`;
}
