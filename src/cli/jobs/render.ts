import { showDuration } from '../../config/duration.ts';
import { type FinalStatus, JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import { type Column, table } from '../table.ts';

/** A job as `jobs --json` prints it. Times are ISO 8601; what is not known, or not yet, is null. */
export type JobSummary = {
  readonly job: string;
  readonly run: string;
  readonly function: string;
  readonly offer: string;
  readonly gpu: string | null;
  readonly image: string;
  /** Where the job stands here; see the states of a job in domain/job.ts. */
  readonly state: JobRecord['state']['name'];
  /** How it ended. */
  readonly outcome: 'succeeded' | 'failed' | 'timeout' | null;
  /** Why it was released, cancelled or dropped. */
  readonly why: string | null;
  readonly durationMs: number | null;
  /** US dollars per job and minute, when it was claimed. */
  readonly askPrice: number;
  /** US dollars, once the broker has taken the report. */
  readonly earned: number | null;
  readonly claimedAt: string;
  readonly updatedAt: string;
};

/** What the journal knows of a job, without its output. `now` is in milliseconds of the wall clock. */
export function summaryOf(record: JobRecord, now: number): JobSummary {
  const { state } = record;
  return {
    job: record.uuid,
    run: record.run,
    function: record.functionName,
    offer: record.offerKey,
    gpu: record.gpu,
    image: record.image,
    state: state.name,
    outcome: outcomeOf(record),
    why: 'why' in state ? state.why : null,
    durationMs: durationOf(record, now),
    askPrice: record.askPrice,
    earned: state.name === 'reported' ? state.earned : null,
    claimedAt: new Date(record.claimedAt).toISOString(),
    updatedAt: new Date(record.updatedAt).toISOString(),
  };
}

/** The jobs as a table for people, with what they earned together. */
export function jobsTable(records: readonly JobRecord[], now: number): string {
  const jobs = records.map((record) => summaryOf(record, now));
  if (jobs.length === 0) return 'no job has run here yet\n';
  const earned = jobs.reduce((sum, job) => sum + (job.earned ?? 0), 0);
  return `${table(COLUMNS, jobs)}\n${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}, earned ${dollars(earned)}\n`;
}

const COLUMNS: readonly Column<JobSummary>[] = [
  { title: 'JOB', cell: (job) => job.job },
  { title: 'FUNCTION', cell: (job) => job.function },
  { title: 'STATE', cell: stateText },
  {
    title: 'DURATION',
    cell: (job) => (job.durationMs === null ? '' : showDuration(rounded(job.durationMs))),
    right: true,
  },
  { title: 'EARNED', cell: (job) => (job.earned === null ? '' : dollars(job.earned)), right: true },
  { title: 'WHEN', cell: (job) => localTime(new Date(job.claimedAt)) },
];

function stateText(job: JobSummary): string {
  if (job.outcome === null) return job.why === null ? job.state : `${job.state}: ${job.why}`;
  return job.state === 'reported' ? job.outcome : `${job.outcome}, not yet reported`;
}

function outcomeOf({ state }: JobRecord): JobSummary['outcome'] {
  if (state.name === 'finished') return OUTCOMES[state.report.status];
  return state.name === 'reported' ? OUTCOMES[state.status] : null;
}

const OUTCOMES: Readonly<Record<FinalStatus, NonNullable<JobSummary['outcome']>>> = {
  [JOB_STATUS.SUCCEEDED]: 'succeeded',
  [JOB_STATUS.FAILED]: 'failed',
  [JOB_STATUS.TIMEOUT]: 'timeout',
};

function durationOf({ state }: JobRecord, now: number): number | null {
  if (state.name === 'running') return Math.max(0, now - state.startedAt);
  return 'durationMs' in state ? state.durationMs : null;
}

/** Nobody reads the milliseconds of what took seconds. */
function rounded(milliseconds: number): number {
  return milliseconds < 10_000 ? Math.round(milliseconds / 10) * 10 : Math.round(milliseconds / 1000) * 1000;
}

function dollars(amount: number): string {
  return `$${amount.toFixed(4)}`;
}

function localTime(time: Date): string {
  const two = (part: number) => String(part).padStart(2, '0');
  const day = [time.getFullYear(), two(time.getMonth() + 1), two(time.getDate())].join('-');
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}
