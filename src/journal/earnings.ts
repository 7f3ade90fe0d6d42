import { z } from 'zod';
import {
  type EarningsBy,
  type EarningsPart,
  type EarningsReport,
  type EarningsSums,
  EarningsTable,
} from '../domain/earnings.ts';
import { CPU_TARGET } from '../domain/hold.ts';
import { JOB_STATUS } from '../domain/job.ts';
import type { LocalDay } from '../domain/local-day.ts';
import type { Access } from './access.ts';
import { localDaySql, PAID_JOBS } from './ledger-sql.ts';
import { EARNED_MICRO_DOLLARS, MICRO_DOLLARS } from './money-functions.ts';

/** Which days are summed, the first and the last among them. */
export type EarningsQuery = { readonly from: LocalDay; readonly until: LocalDay; readonly by: EarningsBy };

/** The first day of which energy is known. */
const BEGAN = 'SELECT min(day) AS day FROM energy_days';
/** A journal that is only read may lack what a newer agent has added. */
const TABLES = `SELECT name FROM sqlite_master WHERE type = 'table'
  AND name IN ('ledger_days', 'energy_days', 'idle_days', 'job_history')`;

const DAILY = ['ledger_days', 'energy_days', 'idle_days'] as const;
const LEDGER = 'SELECT gpu, function, image, jobs, micro_dollars FROM ledger_days WHERE day = ?';
const ENERGY = `SELECT gpu, function, image, jobs, joules, power_micro_dollars, unmeasured_jobs, unpriced_jobs,
    estimated_jobs
  FROM energy_days WHERE day = ?`;
const IDLE = `SELECT joules, ms, CASE WHEN unpriced_ms < ms THEN power_micro_dollars END AS power_micro_dollars
  FROM idle_days WHERE day = ?`;
/** Of a journal without a ledger. */
const SCANNED = `SELECT ${localDaySql('updated_at')} AS day, coalesce(gpu, '${CPU_TARGET}') AS gpu,
    function_name AS function, image, count(*) AS jobs,
    sum(CAST(${EARNED_MICRO_DOLLARS}(detail) AS INTEGER)) AS micro_dollars
  FROM jobs WHERE ${PAID_JOBS} AND day BETWEEN ? AND ? GROUP BY 1, 2, 3, 4`;

/** What the reports that wait should earn, on the day when the job ended; from its row only where there is nothing else. */
const PENDING = pendingSql(
  (column, own) => `coalesce((SELECT h.${column} FROM job_history h
    WHERE h.uuid = jobs.uuid AND h.state = 'finished' ORDER BY h.seq DESC LIMIT 1), ${own})`,
);
const PENDING_WITHOUT_HISTORY = pendingSql((_, own) => own);

const KEY = { gpu: z.string(), function: z.string(), image: z.string() };
const nameRows = z.array(z.object({ name: z.string() }));
const nextRow = z.object({ day: z.string().nullable() });
const paidRows = z.array(z.object({ ...KEY, jobs: z.number(), micro_dollars: z.number() }));
const datedRows = z.array(z.object({ ...KEY, day: z.string(), jobs: z.number(), micro_dollars: z.number() }));
const energyRows = z.array(
  z.object({
    ...KEY,
    jobs: z.number(),
    joules: z.number(),
    power_micro_dollars: z.number(),
    unmeasured_jobs: z.number(),
    estimated_jobs: z.number(),
    unpriced_jobs: z.number(),
  }),
);
const idleRows = z.array(
  z.object({ joules: z.number(), ms: z.number(), power_micro_dollars: z.number().nullable() }),
);

/** What jobs have earned and cost on some days. A `yield` follows each day's read. Throws as the journal does. */
export function* earningsIn(
  { prepared, read }: Access,
  { by, from, until }: EarningsQuery,
): Generator<'long', EarningsReport> {
  const table = new EarningsTable(by);
  const has = new Set(nameRows.parse(read(() => prepared(TABLES).all())).map(({ name }) => name));
  const dated = (sql: string) => datedRows.parse(read(() => prepared(sql).all(from, until)));
  for (const row of dated(has.has('job_history') ? PENDING : PENDING_WITHOUT_HISTORY))
    table.add(row, { pendingJobs: row.jobs, pendingMicroDollars: row.micro_dollars });
  if (!has.has('ledger_days'))
    for (const row of dated(SCANNED)) table.add(row, { ...paid(row), ...unknown(row.jobs) });

  const next = nextDaySql(DAILY.filter((name) => has.has(name)));
  if (next === undefined) return table.end();
  for (let after = from; ; yield 'long') {
    const bounds = { after, until };
    const day: LocalDay | null = nextRow.parse(read(() => prepared(next).get(bounds))).day;
    if (day === null) return table.end();
    // Behind this day and before the next: one bound only, because SQLite would walk from the other one.
    after = `${day}!`;
    addDay({ prepared, read }, table, has, day);
  }
}

/** The total of a day without pending reports, which may be many. Throws as the journal does. */
export function totalOf(access: Pick<Access, 'prepared' | 'read'>, day: LocalDay): EarningsSums {
  const table = new EarningsTable('day');
  const { prepared, read } = access;
  const has = new Set(nameRows.parse(read(() => prepared(TABLES).all())).map(({ name }) => name));
  addDay(access, table, has, day);
  return table.end().total;
}

function addDay(
  { prepared, read }: Pick<Access, 'prepared' | 'read'>,
  table: EarningsTable,
  has: ReadonlySet<string>,
  day: LocalDay,
): void {
  const of = (name: (typeof DAILY)[number], sql: string) =>
    read(() => (has.has(name) ? prepared(sql).all(day) : []));
  const began = has.has('energy_days') ? nextRow.parse(read(() => prepared(BEGAN).get())).day : null;
  const energies = energyRows.parse(of('energy_days', ENERGY));
  const measured = new Map(energies.map((row) => [keyOf(row), row.jobs]));
  for (const row of paidRows.parse(of('ledger_days', LEDGER))) {
    // A job may have ended on the day before it was paid; only those from before energy was measured have none at all.
    const isOld = began === null || day <= began;
    const missing = isOld ? Math.max(0, row.jobs - (measured.get(keyOf(row)) ?? 0)) : 0;
    table.add({ ...row, day }, { ...paid(row), ...unknown(missing) });
  }
  for (const row of energies)
    table.add(
      { ...row, day },
      {
        endedJobs: row.jobs,
        // Rounded before it is summed, so that every total is the same, whatever it is summed by.
        energyJoules: Math.round(row.joules),
        unmeasuredJobs: row.unmeasured_jobs,
        estimatedJobs: row.estimated_jobs,
        powerCostMicroDollars: row.power_micro_dollars,
        unpricedJobs: row.unpriced_jobs,
      },
    );
  for (const row of idleRows.parse(of('idle_days', IDLE)))
    table.addIdle(Math.round(row.ms), Math.round(row.joules), row.power_micro_dollars);
}

function paid(row: { readonly jobs: number; readonly micro_dollars: number }): Partial<EarningsPart> {
  return { jobs: row.jobs, confirmedMicroDollars: row.micro_dollars };
}

/** Ended jobs of which neither energy nor power cost are known. */
function unknown(jobs: number): Partial<EarningsPart> {
  return { endedJobs: jobs, unmeasuredJobs: jobs, unpricedJobs: jobs };
}

function keyOf(row: Readonly<Record<keyof typeof KEY, string>>): string {
  return JSON.stringify([row.gpu, row.function, row.image]);
}

/** The first day from a bound on that any table has. */
function nextDaySql(tables: readonly string[]): string | undefined {
  if (tables.length === 0) return undefined;
  const each = tables.map(
    (name) => `SELECT min(day) AS day FROM ${name} WHERE day >= $after AND day <= $until`,
  );
  return `SELECT min(day) AS day FROM (${each.join(' UNION ALL ')})`;
}

function pendingSql(ofEnd: (column: 'at' | 'detail', own: string) => string): string {
  const own = `json_object('status', json_extract(detail, '$.report.status'), 'durationMs', json_extract(detail, '$.durationMs'))`;
  return `SELECT ${localDaySql('at')} AS day, gpu, function, image, count(*) AS jobs,
    sum(CAST(${MICRO_DOLLARS}(ask_price * json_extract(detail, '$.durationMs') / 60000.0) AS INTEGER)) AS micro_dollars
  FROM (SELECT coalesce(gpu, '${CPU_TARGET}') AS gpu, function_name AS function, image, ask_price,
      ${ofEnd('at', 'updated_at')} AS at, ${ofEnd('detail', own)} AS detail FROM jobs WHERE state = 'finished')
  WHERE json_extract(detail, '$.status') <> ${JOB_STATUS.FAILED} AND day BETWEEN ? AND ? GROUP BY 1, 2, 3, 4`;
}
