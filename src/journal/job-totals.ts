import { z } from 'zod';
import type { JobRecord, JobState } from '../domain/job.ts';
import type { JobTotal } from '../domain/ports/job-sums.ts';
import type { Access } from './access.ts';
import { EARNED, ENDED, OUTCOME, outcomeOf } from './job-sums.ts';

/** What every offer's jobs came to since the journal began; never pruned, so that it never falls. At first its jobs. */
export const CREATE_JOB_TOTALS = `CREATE TABLE IF NOT EXISTS job_totals (
    offer_key TEXT NOT NULL,
    outcome TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    earned REAL NOT NULL,
    PRIMARY KEY (offer_key, outcome)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO job_totals (offer_key, outcome, jobs, earned)
    SELECT offer_key, ${OUTCOME} AS outcome, count(*), sum(${EARNED})
    FROM jobs WHERE ${ENDED} AND NOT EXISTS (SELECT 1 FROM job_totals) GROUP BY offer_key, outcome;`;

const ADD = `INSERT INTO job_totals (offer_key, outcome, jobs, earned) VALUES (?, ?, 1, ?)
  ON CONFLICT (offer_key, outcome) DO UPDATE SET jobs = jobs + 1, earned = earned + excluded.earned`;

/** Not from the job's own row: it has the whole report. */
const OLDEST_REPORT = `SELECT min(h.at) AS at FROM jobs j JOIN job_history h ON h.uuid = j.uuid AND h.state = 'finished'
  WHERE j.state = 'finished'`;

const oldestRow = z.object({ at: z.number().nullable() });
const rows = z.array(
  z.object({
    offer: z.string(),
    outcome: z.enum(['succeeded', 'failed', 'timeout', 'released', 'cancelled']),
    jobs: z.number(),
    earned: z.number(),
  }),
);

/** How many jobs of each offer came to an end, and what they earned. */
export class JobTotalTable {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Counts a job that came to an end; to be called in the transaction of its change. */
  add({ offerKey, state }: Pick<JobRecord, 'offerKey' | 'state'>, to: JobState): void {
    const outcome = outcomeOf(state.name, to);
    if (outcome === undefined) return;
    this.#access.prepared(ADD).run(offerKey, outcome, to.name === 'reported' ? to.earned : 0);
  }

  all(): readonly JobTotal[] {
    const { prepared, read } = this.#access;
    const sql =
      'SELECT offer_key AS offer, outcome, jobs, earned FROM job_totals ORDER BY offer_key, outcome';
    return rows.parse(read(() => prepared(sql).all()));
  }

  /** Since when the report waits that has waited longest, by the wall clock in milliseconds; undefined: none waits. */
  oldestReportAt(): number | undefined {
    const { prepared, read } = this.#access;
    return oldestRow.parse(read(() => prepared(OLDEST_REPORT).get())).at ?? undefined;
  }
}
