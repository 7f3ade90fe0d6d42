import { z } from 'zod';
import { JOB_STATUS, type JobStateName } from '../domain/job.ts';
import type { Access } from './access.ts';
import { JOB_COLUMNS, jobOf } from './job-row.ts';
import type { JobSummary, SlimJob } from './job-summary.ts';

/** Which jobs are wanted; what is absent is not asked for. */
export type JobQuery = {
  readonly limit: number;
  /** Only those before this place in the list. */
  readonly before?: number | undefined;
  readonly states?: readonly JobStateName[];
  readonly outcome?: NonNullable<JobSummary['outcome']> | undefined;
  /** Null: without a GPU. */
  readonly gpu?: string | null | undefined;
  /** In the name of the function or image, or at the beginning of the id, in any case. */
  readonly text?: string | undefined;
};

/** Jobs, newest first; `next`: before what the list goes on, undefined at its end. */
export type JobPage = { readonly jobs: readonly SlimJob[]; readonly next: number | undefined };

/** So many places of the list are looked at in one go: about two milliseconds. */
const BATCH = 2_000;
/** So many are looked at for one page, so that a text that no job has is not looked for in millions. */
const MAX_LOOKED_AT = 200_000;

/** SQLite's own `lower` knows ASCII only. */
export const FOLD = { name: 'fold', of: (text: unknown): string => String(text).toLowerCase() } as const;

/**
 * A job's row without its report, and without what stands behind it in the row: SQLite would have to read the report to get
 * there.
 */
const SLIM = `SELECT seq, uuid, run, function_name, offer_key, instance, slot, gpu, ask_price, image, timeout_ms, state,
    CASE state WHEN 'finished' THEN coalesce(${ofHistory('finished', 'detail')},
      json_object('status', json_extract(detail, '$.report.status'), 'durationMs', json_extract(detail, '$.durationMs')))
      ELSE detail END AS detail,
    CASE state WHEN 'finished' THEN coalesce(${ofHistory('claiming', 'at')}, claimed_at) ELSE claimed_at END AS claimed_at,
    CASE state WHEN 'finished' THEN coalesce(${ofHistory('finished', 'at')}, updated_at) ELSE updated_at END AS updated_at
  FROM jobs`;

const STATUS = `CASE state WHEN 'reported' THEN json_extract(detail, '$.status')
    WHEN 'finished' THEN json_extract(${ofHistory('finished', 'detail')}, '$.status') END`;

const WHERE = {
  states: 'state IN (SELECT value FROM json_each($states))',
  outcome: `${STATUS} = $outcome`,
  gpu: 'gpu IS $gpu',
  text: `(instr(${FOLD.name}(function_name), $text) > 0 OR instr(${FOLD.name}(image), $text) > 0
    OR substr(lower(uuid), 1, length($text)) = $text)`,
} as const;

const STATUSES = {
  succeeded: JOB_STATUS.SUCCEEDED,
  failed: JOB_STATUS.FAILED,
  timeout: JOB_STATUS.TIMEOUT,
} as const;

const ROW = JOB_COLUMNS.extend({ seq: z.number(), detail: z.string() });
const DETAIL = z.object({
  container: z.string().optional(),
  startedAt: z.number().optional(),
  status: z.number().optional(),
  durationMs: z.number().optional(),
  earned: z.number().optional(),
  why: z.string().optional(),
});
/** Each by itself is found at one end of the table; both in one query would read all of it. */
const BOUNDS_OF = 'SELECT (SELECT min(seq) FROM jobs) AS first, (SELECT max(seq) FROM jobs) AS last';
const BOUNDS = z.object({ first: z.number().nullable(), last: z.number().nullable() });

/** The jobs of the journal in lists, without their reports. */
export class JobList {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Undefined: not in the journal. */
  get(uuid: string): SlimJob | undefined {
    const { prepared, read } = this.#access;
    const row = read(() => prepared(`${SLIM} WHERE uuid = ?`).get(uuid));
    return row === undefined ? undefined : slimJob(ROW.parse(row));
  }

  /** The uuids that begin with `prefix`, in any case, newest first; at most `limit`, and one alone that is it. */
  matching(prefix: string, limit: number): readonly string[] {
    const { prepared, read } = this.#access;
    const exact = read(() => prepared('SELECT uuid FROM jobs WHERE uuid = ?').get(prefix));
    // `+seq` keeps SQLite to the index of uuids, which is much smaller than the table.
    const begins =
      'SELECT uuid FROM jobs WHERE substr(lower(uuid), 1, length(?1)) = lower(?1) ORDER BY +seq DESC LIMIT ?2';
    const rows = exact === undefined ? read(() => prepared(begins).all(prefix, limit)) : [exact];
    return z
      .array(z.object({ uuid: z.string() }))
      .parse(rows)
      .map(({ uuid }) => uuid);
  }

  /** One page; with few jobs or none, and a `next`, where many others had to be looked at. A `yield` follows each small read. */
  *page(query: JobQuery): Generator<'long', JobPage> {
    const { prepared, read } = this.#access;
    const bounds = BOUNDS.parse(read(() => prepared(BOUNDS_OF).get()));
    const { sql, values } = statementOf(query);
    const first = bounds.first ?? 0;
    const begin = Math.min(query.before ?? Number.POSITIVE_INFINITY, (bounds.last ?? -1) + 1);
    const jobs: { readonly seq: number; readonly job: SlimJob }[] = [];
    let upper = begin;
    for (; upper > first && begin - upper < MAX_LOOKED_AT; yield 'long') {
      const lower = Math.max(upper - BATCH, first);
      // One more than wanted shows whether the list goes on.
      const room = query.limit + 1 - jobs.length;
      const rows = read(() =>
        prepared(sql).all({ ...values, $lower: lower, $upper: upper, $limit: room }),
      ).map((row) => ROW.parse(row));
      jobs.push(...rows.map((row) => ({ seq: row.seq, job: slimJob(row) })));
      if (jobs.length > query.limit) {
        const page = jobs.slice(0, query.limit);
        return { jobs: page.map(({ job }) => job), next: page.at(-1)?.seq };
      }
      upper = lower;
    }
    return { jobs: jobs.map(({ job }) => job), next: upper > first ? upper : undefined };
  }
}

function statementOf({ gpu, outcome, states, text }: JobQuery): {
  readonly sql: string;
  readonly values: Readonly<Record<string, string | number | null>>;
} {
  const values = {
    ...(states === undefined || states.length === 0 ? {} : { $states: JSON.stringify(states) }),
    ...(outcome === undefined ? {} : { $outcome: STATUSES[outcome] }),
    ...(gpu === undefined ? {} : { $gpu: gpu }),
    ...(text === undefined || text === '' ? {} : { $text: FOLD.of(text) }),
  };
  const filters = [
    ...('$states' in values ? [WHERE.states] : []),
    ...('$outcome' in values ? [WHERE.outcome] : []),
    ...('$gpu' in values ? [WHERE.gpu] : []),
    ...('$text' in values ? [WHERE.text] : []),
  ];
  const where = ['seq >= $lower', 'seq < $upper', ...filters].join(' AND ');
  return { sql: `${SLIM} WHERE ${where} ORDER BY seq DESC LIMIT $limit`, values };
}

/** A column of the last change to a state in a job's history. */
function ofHistory(state: JobStateName, column: 'at' | 'detail'): string {
  return `(SELECT h.${column} FROM job_history h WHERE h.uuid = jobs.uuid AND h.state = '${state}' ORDER BY h.seq DESC LIMIT 1)`;
}

function slimJob(row: z.infer<typeof ROW>): SlimJob {
  return jobOf(row, { ...DETAIL.parse(JSON.parse(row.detail)), name: row.state });
}
