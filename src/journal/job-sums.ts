import { z } from 'zod';
import { type FinalStatus, JOB_STATUS, type JobState, type JobStateName } from '../domain/job.ts';
import type { LocalDay } from '../domain/local-day.ts';
import type { DayCost, DaySums, JobSums, JobsPending, PaidTime } from '../domain/ports/job-sums.ts';
import type { Access } from './access.ts';
import { totalOf } from './earnings.ts';
import { paidTime } from './paid-time.ts';

/** All time zones of today are whole quarters of an hour from UTC, so a day of any of them is a number of these. */
const QUARTER_MS = 900_000;
/** How long sums are kept. */
export const KEEP_SUMS_MS = 62 * 86_400_000;

/** SQL for the outcome of a job that has ended. */
export const OUTCOME = `CASE state WHEN 'released' THEN 'released' ELSE
    CASE json_extract(detail, '$.status') WHEN ${JOB_STATUS.SUCCEEDED} THEN 'succeeded'
      WHEN ${JOB_STATUS.TIMEOUT} THEN 'timeout' ELSE 'failed' END END`;
export const EARNED = `coalesce(json_extract(detail, '$.earned'), 0.0)`;
/** What was dropped may be a claim that was lost, which is no job. */
export const ENDED = `state IN ('reported', 'released')`;

/** How many jobs came to an end in each quarter of an hour, and what they earned; of a journal from before at first its jobs. */
export const CREATE_JOB_SUMS = `CREATE TABLE IF NOT EXISTS job_sums (
    seq INTEGER PRIMARY KEY,
    start INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    earned REAL NOT NULL,
    UNIQUE (start, outcome)
  ) STRICT;
  INSERT INTO job_sums (start, outcome, jobs, earned)
    SELECT updated_at / ${QUARTER_MS} * ${QUARTER_MS} AS quarter, ${OUTCOME} AS outcome, count(*), sum(${EARNED})
    FROM jobs WHERE ${ENDED} AND NOT EXISTS (SELECT 1 FROM job_sums) GROUP BY quarter, outcome;`;

const ADD = `INSERT INTO job_sums (start, outcome, jobs, earned) VALUES (?, ?, 1, ?)
  ON CONFLICT (start, outcome) DO UPDATE SET jobs = jobs + 1, earned = earned + excluded.earned`;
const EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'job_sums'";
const SUMS =
  'SELECT outcome, sum(jobs) AS jobs, sum(earned) AS earned FROM job_sums WHERE start >= ? GROUP BY outcome';
/** For a journal that only an older agent has written, and that is only read now. */
const SCANNED = `SELECT ${OUTCOME} AS outcome, count(*) AS jobs, sum(${EARNED}) AS earned FROM jobs
  WHERE ${ENDED} AND updated_at >= ? GROUP BY outcome`;
/** Not from the job's own row: it has the whole report. */
const PENDING = `SELECT
    count(*) FILTER (WHERE state = 'finished') AS reports,
    count(*) FILTER (WHERE state = 'releasing') AS releases,
    coalesce(sum(CASE state WHEN 'finished' THEN (
      SELECT CASE json_extract(h.detail, '$.status') WHEN ${JOB_STATUS.FAILED} THEN 0.0
        ELSE ask_price * json_extract(h.detail, '$.durationMs') / 60000.0 END
      FROM job_history h WHERE h.uuid = jobs.uuid AND h.state = 'finished' ORDER BY h.seq DESC LIMIT 1) END), 0.0)
      AS earned
  FROM jobs WHERE state IN ('finished', 'releasing')`;

const sumRows = z.array(
  z.object({
    outcome: z.enum(['succeeded', 'failed', 'timeout', 'released', 'cancelled']),
    jobs: z.number(),
    earned: z.number(),
  }),
);
/** Another number: another program has written the journal. */
const DATA_VERSION = 'PRAGMA data_version';

const versionRow = z.object({ data_version: z.number() });
const pendingRow = z.object({ reports: z.number(), releases: z.number(), earned: z.number() });

/** What jobs have earned, from the journal. */
export class JobSumTables implements JobSums {
  readonly #access: Access;
  /** Asked for once a second while somebody looks, and reports may pile up; undefined: to be read again. */
  #pending: { readonly version: number; readonly found: JobsPending } | undefined;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Counts a job that came to an end; to be called in the transaction of every change. A claim that was lost is no job. */
  add(from: JobStateName, to: JobState, at: number): void {
    this.#pending = undefined;
    const outcome = outcomeOf(from, to);
    if (outcome === undefined) return;
    const earned = to.name === 'reported' ? to.earned : 0;
    this.#access.prepared(ADD).run(Math.floor(at / QUARTER_MS) * QUARTER_MS, outcome, earned);
  }

  since(fromMs: number): DaySums {
    const { prepared, read } = this.#access;
    const rows = sumRows.parse(
      read(() => prepared(prepared(EXISTS).get() === undefined ? SCANNED : SUMS).all(fromMs)),
    );
    const jobs = { succeeded: 0, failed: 0, timeout: 0, released: 0, cancelled: 0 };
    for (const row of rows) jobs[row.outcome] = row.jobs;
    return { jobs, earned: rows.reduce((sum, { earned }) => sum + earned, 0) };
  }

  paidTime(): PaidTime {
    return paidTime(this.#access);
  }

  pending(): JobsPending {
    const { prepared, read } = this.#access;
    const version = versionRow.parse(read(() => prepared(DATA_VERSION).get())).data_version;
    if (this.#pending?.version !== version)
      this.#pending = { version, found: pendingRow.parse(read(() => prepared(PENDING).get())) };
    return this.#pending.found;
  }

  costOf(day: LocalDay): DayCost {
    return totalOf(this.#access, day);
  }
}

/** How a job ended that goes to this state; undefined: it has not ended, or was never one. */
export function outcomeOf(from: JobStateName, state: JobState): keyof DaySums['jobs'] | undefined {
  if (from === 'claiming') return undefined;
  if (state.name === 'released') return 'released';
  if (state.name === 'dropped') return 'cancelled';
  return state.name === 'reported' ? OUTCOMES[state.status] : undefined;
}

const OUTCOMES: Readonly<Record<FinalStatus, keyof DaySums['jobs']>> = {
  [JOB_STATUS.SUCCEEDED]: 'succeeded',
  [JOB_STATUS.FAILED]: 'failed',
  [JOB_STATUS.TIMEOUT]: 'timeout',
};
