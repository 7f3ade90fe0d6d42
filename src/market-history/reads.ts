import type { SQLInputValue } from 'node:sqlite';
import { z } from 'zod';
import type { HistogramRow, PastRun, PastRuns, TimeSpan } from '../domain/ports/market-history.ts';
import { bidOf } from './schema.ts';

const PAGE = 200;

type All = (sql: string, ...values: readonly SQLInputValue[]) => readonly unknown[];

const rows = z.array(
  z.object({
    id: z.number(),
    run: z.string(),
    function: z.string().nullable(),
    image: z.string().nullable(),
    runtime: z.string().nullable(),
    requires_gpu: z.number().nullable(),
    base_gpu: z.string().nullable(),
    bid: z.number(),
    jobs: z.number(),
    first_seen: z.number(),
    last_seen: z.number().nullable(),
  }),
);
type Row = z.output<typeof rows>[number];

const SELECT = `SELECT runs.id, run, functions.uuid AS function, image, runtime, requires_gpu, gpus.uuid AS base_gpu, bid, jobs,
  first_seen, last_seen FROM runs LEFT JOIN functions ON functions.id = runs.function LEFT JOIN gpus ON gpus.id = runs.base_gpu`;
/** The runs that are open, those that ended at an instant, and those that ended before it; the last ones first. */
const OPEN = `${SELECT} WHERE last_seen IS NULL AND runs.id < ? ORDER BY runs.id DESC LIMIT ${PAGE}`;
const AT = `${SELECT} WHERE last_seen = ? AND runs.id < ? ORDER BY runs.id DESC LIMIT ${PAGE}`;
const BEFORE = `${SELECT} WHERE last_seen < ? AND last_seen >= ? ORDER BY last_seen DESC, runs.id DESC LIMIT ${PAGE}`;

/** Reads runs, the last seen first, until there are enough; a page more than that. */
export function* observedIn(
  all: All,
  {
    lastPoll,
    limit,
    span: { from, until },
  }: { readonly span: TimeSpan; readonly limit: number; readonly lastPoll: number | undefined },
): Generator<'long', PastRuns> {
  const runs: PastRun[] = [];
  const take = (page: readonly Row[]): Row | undefined => {
    for (const row of page)
      if (row.first_seen < until) runs.push(pastRun(row, Math.max(lastPoll ?? 0, row.first_seen)));
    return page.length < PAGE ? undefined : page.at(-1);
  };
  for (let last: Row | undefined, page = rows.parse(all(OPEN, Number.MAX_SAFE_INTEGER)); ; ) {
    last = take(page);
    yield 'long';
    if (runs.length >= limit) return { runs, completeFrom: lastPoll ?? from };
    if (last === undefined) break;
    page = rows.parse(all(OPEN, last.id));
  }
  for (let page = rows.parse(all(BEFORE, Number.MAX_SAFE_INTEGER, from)); ; ) {
    const last = take(page);
    yield 'long';
    const end = last?.last_seen ?? undefined;
    if (last === undefined || end === undefined) return { runs, completeFrom: from };
    // Others of the same instant may be many.
    for (let same: Row | undefined = last; same !== undefined; ) {
      same = take(rows.parse(all(AT, end, same.id)));
      yield 'long';
    }
    if (runs.length >= limit) return { runs, completeFrom: end };
    page = rows.parse(all(BEFORE, end, from));
  }
}

function pastRun(row: Row, openUntil: number): PastRun {
  const { image, requires_gpu: gpu, runtime } = row;
  return {
    run: row.run,
    function: row.function ?? '',
    baseGpu: row.base_gpu,
    bid: row.bid,
    jobs: row.jobs,
    firstSeen: row.first_seen,
    lastSeen: row.last_seen ?? openUntil,
    known: runtime === null ? undefined : { image, runtime, requiresGpu: gpu === 1 },
  };
}

const sums = z.array(
  z.object({
    hour: z.number(),
    base_gpu: z.string().nullable(),
    bucket: z.number(),
    runs: z.number(),
    jobs: z.number(),
    open_ms: z.number(),
  }),
);

/** Reads the sums of runs that were pruned, a day after the other. */
export function* histogramOf(
  all: All,
  { from, until }: TimeSpan,
): Generator<'long', readonly HistogramRow[]> {
  const found: HistogramRow[] = [];
  for (let hour = Math.floor(from / HOUR_MS) * HOUR_MS; hour < until; ) {
    const page = sums.parse(
      all(
        `SELECT hour, gpus.uuid AS base_gpu, bucket, runs, jobs, open_ms FROM histograms
         LEFT JOIN gpus ON gpus.id = base_gpu WHERE hour >= ? AND hour < ? ORDER BY hour, base_gpu, bucket`,
        hour,
        Math.min(hour + HOUR_MS, until),
      ),
    );
    for (const { base_gpu: baseGpu, bucket, open_ms: ms, ...row } of page)
      found.push({ ...row, baseGpu, bid: bidOf(bucket), openMinutes: ms / 60_000 });
    yield 'long';
    const next = page.length > 0 ? undefined : nextHour(all, hour);
    hour = next ?? hour + HOUR_MS;
    if (page.length === 0 && next === undefined) break;
  }
  return found;
}

const HOUR_MS = 3_600_000;

function nextHour(all: All, after: number): number | undefined {
  const [row] = all('SELECT min(hour) AS hour FROM histograms WHERE hour > ?', after);
  return z.object({ hour: z.number() }).safeParse(row).data?.hour;
}
