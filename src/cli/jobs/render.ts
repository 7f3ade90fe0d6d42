import type { JobSummary } from '../../journal/job-summary.ts';
import { readableDuration, readableEarnings } from '../../lib/readable.ts';
import { shortIds } from '../../lib/short-id.ts';
import { count } from '../count.ts';
import { type Page } from '../lines.ts';
import { localTime } from '../local-time.ts';
import { type Column, tableInParts } from '../table.ts';
import { summaryJson } from './json.ts';

type Listed = AsyncIterable<JobSummary> | Iterable<JobSummary>;

/** So many jobs are held in memory at once. */
const PART = 1_000;

/** The jobs as a table for people, in parts, with their total earnings. */
export async function* jobsTable(
  listed: Listed,
  page: Page,
  { isOpen }: { readonly isOpen: boolean },
): AsyncGenerator<string, void> {
  const part = tableInParts(COLUMNS, page);
  let [jobs, earned] = [0, 0];
  for await (const summaries of chunked(listed, PART)) {
    jobs += summaries.length;
    earned = summaries.reduce((sum, job) => sum + (job.earned ?? 0), earned);
    yield part(summaries);
  }
  // No output says that no job is unfinished.
  if (jobs === 0 && isOpen) return;
  yield jobs === 0
    ? 'no job has run here yet\n'
    : `\n${count(jobs, 'job')}, earned ${readableEarnings(earned)}\n`;
}

/** The jobs as one JSON document, in parts. */
export async function* jobsJson(listed: Listed): AsyncGenerator<string, void> {
  yield '{\n  "jobs": [';
  let isFirst = true;
  for await (const some of chunked(listed, PART)) {
    const texts = some.map((job) => indented(JSON.stringify(summaryJson(job), null, 2)));
    yield `${isFirst ? '\n' : ',\n'}${texts.join(',\n')}`;
    isFirst = false;
  }
  yield isFirst ? ']\n}\n' : '\n  ]\n}\n';
}

/** No string of JSON contains a line break. */
function indented(json: string): string {
  return json.replace(/^/gm, '    ');
}

async function* chunked<T>(
  items: AsyncIterable<T> | Iterable<T>,
  size: number,
): AsyncGenerator<readonly T[], void> {
  let chunk: T[] = [];
  for await (const item of items) {
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
