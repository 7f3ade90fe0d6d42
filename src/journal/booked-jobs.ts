import { z } from 'zod';
import type { OwnJob } from '../domain/books.ts';
import { AgentError } from '../domain/errors.ts';
import { JOB_STATES, JOB_STATUS } from '../domain/job.ts';
import type { Access } from './access.ts';
import { TOTAL_AT } from './ledger-brokers.ts';
import { EARNED_MICRO_DOLLARS, MICRO_DOLLARS } from './money-functions.ts';

const INSTANCES = `SELECT instance FROM instances WHERE broker = $broker
  UNION SELECT DISTINCT instance FROM jobs WHERE broker = $broker`;
const TABLES = `SELECT count(*) AS count FROM sqlite_master WHERE type = 'table'
  AND name IN ('ledger_jobs', 'ledger_brokers', 'job_history')`;

const HISTORY = `(SELECT h.detail FROM job_history h WHERE h.uuid = jobs.uuid AND h.state = 'finished'
  ORDER BY h.seq DESC LIMIT 1)`;
/** Not from the row of a pending job, which has its output. */
const JOBS = `SELECT uuid, state, CASE state
      WHEN 'reported' THEN json_extract(detail, '$.status')
      WHEN 'finished' THEN coalesce(json_extract(${HISTORY}, '$.status'), json_extract(detail, '$.report.status')) END AS status,
    CASE state
      WHEN 'reported' THEN CASE json_extract(detail, '$.status') WHEN ${JOB_STATUS.FAILED} THEN 0 ELSE
        coalesce((SELECT micro_dollars FROM ledger_jobs WHERE job = uuid), ${EARNED_MICRO_DOLLARS}(detail)) END
      WHEN 'finished' THEN ${MICRO_DOLLARS}(ask_price *
        coalesce(json_extract(${HISTORY}, '$.durationMs'), json_extract(detail, '$.durationMs')) / 60000.0)
      ELSE 0 END AS micro_dollars
  FROM jobs`;
const BY_ID = `${JOBS} WHERE uuid = ?`;
const REPORTED = `${JOBS} WHERE state = 'reported' AND broker = ? AND updated_at >= ?`;
const PENDING = `${JOBS} WHERE state = 'finished' AND broker = ?`;

const countRow = z.object({ count: z.number() });
const totalRow = z.object({ total: z.number() });
const instanceRows = z.array(z.object({ instance: z.string() }));
const jobRow = z
  .object({
    uuid: z.string(),
    state: z.enum(JOB_STATES),
    status: z.literal([JOB_STATUS.SUCCEEDED, JOB_STATUS.FAILED, JOB_STATUS.TIMEOUT]).nullable(),
    micro_dollars: z.number(),
  })
  .transform(
    ({ micro_dollars, state, status, uuid }): OwnJob => ({
      uuid,
      state,
      status: status ?? undefined,
      // A failed job will not be paid.
      microDollars: status === JOB_STATUS.FAILED ? 0 : micro_dollars,
    }),
  );

/** The jobs of the journal, to be compared with the broker's books. */
export class BookedJobs {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Throws JOURNAL_UNUSABLE for a journal that only an older agent has written. */
  check(): void {
    const { prepared, read } = this.#access;
    if (countRow.parse(read(() => prepared(TABLES).get())).count === 3) return;
    throw new AgentError('JOURNAL_UNUSABLE', 'the journal is of an older agent and has no ledger', {
      hint: 'start the agent once',
    });
  }

  /** The instances of this host at the broker with this URL, now and before. */
  instancesAt(broker: string): ReadonlySet<string> {
    const { prepared, read } = this.#access;
    const rows = instanceRows.parse(read(() => prepared(INSTANCES).all({ broker })));
    return new Set(rows.map(({ instance }) => instance));
  }

  get(uuid: string): OwnJob | undefined {
    const { prepared, read } = this.#access;
    const row = read(() => prepared(BY_ID).get(uuid));
    return row === undefined ? undefined : jobRow.parse(row);
  }

  /** The jobs that were reported to the broker since a time, in milliseconds, and all whose report is pending. */
  *since(fromMs: number, broker: string): Generator<OwnJob, void> {
    const { prepared, read } = this.#access;
    for (const row of read(() => prepared(REPORTED).iterate(broker, fromMs))) yield jobRow.parse(row);
    for (const row of read(() => prepared(PENDING).all(broker))) yield jobRow.parse(row);
  }

  /** What all jobs of a broker have earned since the ledger began, in micro-dollars; undefined: of all brokers. */
  total(broker?: string): number {
    const { prepared, read } = this.#access;
    return totalRow.parse(read(() => prepared(TOTAL_AT).get({ broker: broker ?? null }))).total;
  }
}
