import { z } from 'zod';
import type { EarningsReport } from '../domain/earnings.ts';
import { CPU_TARGET } from '../domain/hold.ts';
import { JOB_STATUS, type JobRecord, type JobState } from '../domain/job.ts';
import { type LocalDay, localDayOf } from '../domain/local-day.ts';
import { LIMITS } from '../limits.ts';
import { microDollars } from '../pricing/money.ts';
import type { Access } from './access.ts';
import { type EarningsQuery, earningsIn } from './earnings.ts';
import { ADD_TO_BROKER, CREATE_LEDGER_BROKERS } from './ledger-brokers.ts';
import { localDaySql, PAID_JOBS } from './ledger-sql.ts';
import { EARNED_MICRO_DOLLARS } from './money-functions.ts';

const EARNED = `CAST(${EARNED_MICRO_DOLLARS}(detail) AS INTEGER)`;
/** Paid jobs that are not in the ledger: of a journal from before, or of an older agent that ran in between. */
const MISSING = `${PAID_JOBS} AND uuid NOT IN (SELECT job FROM ledger_jobs)`;

/**
 * What the broker has confirmed, for ever, by the day of the host's time zone when it did; and which jobs that is, for as
 * long as they are in the journal, so that none counts twice or never. Money in integers of millionths of a US dollar.
 */
export const CREATE_LEDGER = `CREATE TABLE IF NOT EXISTS ledger_days (
    day TEXT NOT NULL,
    gpu TEXT NOT NULL,
    function TEXT NOT NULL,
    image TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    micro_dollars INTEGER NOT NULL,
    PRIMARY KEY (day, gpu, function, image)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS ledger_jobs (
    seq INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    micro_dollars INTEGER NOT NULL
  ) STRICT;
  ${CREATE_LEDGER_BROKERS}
  BEGIN IMMEDIATE;
  INSERT INTO ledger_days (day, gpu, function, image, jobs, micro_dollars)
    SELECT ${localDaySql('updated_at')} AS day, coalesce(gpu, '${CPU_TARGET}') AS target, function_name, image, count(*), sum(${EARNED})
    FROM jobs WHERE ${MISSING} GROUP BY 1, 2, 3, 4
    ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs, micro_dollars = micro_dollars + excluded.micro_dollars;
  INSERT INTO ledger_brokers (day, broker, jobs, micro_dollars)
    SELECT ${localDaySql('updated_at')} AS day, broker, count(*), sum(${EARNED}) FROM jobs WHERE ${MISSING} GROUP BY 1, 2
    ON CONFLICT DO UPDATE SET jobs = jobs + excluded.jobs, micro_dollars = micro_dollars + excluded.micro_dollars;
  INSERT INTO ledger_jobs (job, at, micro_dollars) SELECT uuid, updated_at, ${EARNED} FROM jobs WHERE ${MISSING};
  COMMIT;`;

const ADD_JOB = 'INSERT INTO ledger_jobs (job, at, micro_dollars) VALUES (?, ?, ?)';
const ADD_DAY = `INSERT INTO ledger_days (day, gpu, function, image, jobs, micro_dollars) VALUES (?, ?, ?, ?, 1, ?)
  ON CONFLICT DO UPDATE SET jobs = jobs + 1, micro_dollars = micro_dollars + excluded.micro_dollars`;
const KNOWN = 'SELECT 1 FROM ledger_days WHERE day = ? AND gpu = ? AND function = ? AND image = ?';
const ROWS = 'SELECT count(*) AS count FROM ledger_days WHERE day = ?';
const BY_GPU = `SELECT day, gpu, sum(jobs) AS jobs, sum(micro_dollars) AS micro_dollars FROM ledger_days
  WHERE day = ? GROUP BY gpu ORDER BY gpu`;
const NEXT_DAY = 'SELECT min(day) AS day FROM ledger_days WHERE day > ? AND day <= ?';

/** Of the latest job, because the names of offers may change. */
const OFFER = 'SELECT offer_key FROM jobs WHERE gpu = ? ORDER BY seq DESC LIMIT 1';

const offerRow = z.object({ offer_key: z.string() });
const nextRow = z.object({ day: z.string().nullable() });
const countRow = z.object({ count: z.number() });
const dayRows = z.array(
  z.object({ day: z.string(), gpu: z.string(), jobs: z.number(), micro_dollars: z.number() }),
);

/** What the paid jobs of a GPU, a slice or the CPU slots have earned on a day. */
export type DayEarnings = {
  readonly day: LocalDay;
  /** `cpu` for the CPU slots. */
  readonly gpu: string;
  readonly jobs: number;
  readonly microDollars: number;
};

/** What paid jobs have earned, by day, GPU, function and image. */
export class Ledger {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Enters a job that was paid; to be called in the transaction of its change. */
  add({ functionName, gpu, image, uuid }: JobRecord, to: JobState, at: number): void {
    if (to.name !== 'reported' || to.status === JOB_STATUS.FAILED) return;
    const { prepared } = this.#access;
    const earned = microDollars(to.earned);
    const [day, target] = [localDayOf(at), gpu ?? CPU_TARGET];
    prepared(ADD_JOB).run(uuid, at, earned);
    // A buyer may give each job a function of its own, and these rows are kept for ever.
    const isKnown = prepared(KNOWN).get(day, target, functionName, image) !== undefined;
    const isFull = !isKnown && countRow.parse(prepared(ROWS).get(day)).count >= LIMITS.journal.ledgerDay.max;
    const names = isFull ? ['', ''] : [functionName, image];
    prepared(ADD_DAY).run(day, target, ...names, earned);
    prepared(ADD_TO_BROKER).run(day, earned, uuid);
  }

  /** What jobs have earned and cost on some days. A `yield` follows each day's read. */
  report(query: EarningsQuery): Generator<'long', EarningsReport> {
    return earningsIn(this.#access, query);
  }

  /** A GPU with the model that its jobs in the journal name: `NVIDIA T4 (GPU-1)`; without them its uuid alone. */
  nameOf(gpu: string): string {
    const { prepared, read } = this.#access;
    const row = offerRow.safeParse(read(() => prepared(OFFER).get(gpu))).data;
    return row?.offer_key.startsWith('gpu:') ? `${row.offer_key.slice('gpu:'.length)} (${gpu})` : gpu;
  }

  /** The days after one, up to another, with each GPU that earned; oldest first. A `yield` follows each day's read. */
  *byGpu(after: LocalDay, last: LocalDay): Generator<'long', readonly DayEarnings[]> {
    const { prepared, read } = this.#access;
    const found: DayEarnings[] = [];
    for (let day: LocalDay | null = after; ; yield 'long') {
      const before: LocalDay = day;
      ({ day } = nextRow.parse(read(() => prepared(NEXT_DAY).get(before, last))));
      if (day === null) return found;
      const current: LocalDay = day;
      const rows = dayRows.parse(read(() => prepared(BY_GPU).all(current)));
      found.push(...rows.map(({ micro_dollars, ...row }) => ({ ...row, microDollars: micro_dollars })));
    }
  }
}
