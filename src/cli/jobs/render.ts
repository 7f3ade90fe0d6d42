import { JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import type { NetworkUse } from '../../domain/network-use.ts';
import { readableDuration, readableEarnings } from '../../lib/readable.ts';
import { shortIds } from '../../lib/short-id.ts';
import { count } from '../count.ts';
import { type Page } from '../lines.ts';
import { localTime } from '../local-time.ts';
import { type Column, tableInParts } from '../table.ts';

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

/** So many jobs are held in memory at once. */
const PART = 1_000;

/** The jobs as a table for people, in parts, with their total earnings. */
export function* jobsTable(listed: Iterable<ListedJob>, now: number, page: Page): Generator<string, void> {
  const part = tableInParts(COLUMNS, page);
  let [jobs, earned] = [0, 0];
  for (const some of chunked(listed, PART)) {
    const summaries = some.map((job) => summaryOf(job, now));
    jobs += summaries.length;
    earned = summaries.reduce((sum, job) => sum + (job.earned ?? 0), earned);
    yield part(summaries);
  }
  yield jobs === 0
    ? 'no job has run here yet\n'
    : `\n${count(jobs, 'job')}, earned ${readableEarnings(earned)}\n`;
}

/** The jobs as one JSON document, in parts. */
export function* jobsJson(listed: Iterable<ListedJob>, now: number): Generator<string, void> {
  yield '{\n  "jobs": [';
  let isFirst = true;
  for (const some of chunked(listed, PART)) {
    const texts = some.map((job) => indented(JSON.stringify(summaryOf(job, now), null, 2)));
    yield `${isFirst ? '\n' : ',\n'}${texts.join(',\n')}`;
    isFirst = false;
  }
  yield isFirst ? ']\n}\n' : '\n  ]\n}\n';
}

/** No string of JSON contains a line break. */
function indented(json: string): string {
  return json.replace(/^/gm, '    ');
}

function* chunked<T>(items: Iterable<T>, size: number): Generator<readonly T[], void> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < size) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
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
