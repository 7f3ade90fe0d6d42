import { z } from 'zod';
import { isMeasured, type PricedEnergy } from '../domain/job-energy.ts';
import { type LocalDay, localDayOf } from '../domain/local-day.ts';
import type { IdleUse } from '../domain/ports/energy-store.ts';
import { LIMITS } from '../limits.ts';
import type { Access } from './access.ts';

/**
 * What all jobs took that ended, paid or not, by the day on which they stopped running, and what GPUs took without a job; both
 * for ever; and the sums of each for metrics, which never fall. Keys as in `ledger_days`, of which the day is that of the payment. Money in millionths of a US dollar.
 */
export const CREATE_ENERGY_DAYS = `CREATE TABLE IF NOT EXISTS energy_days (
    day TEXT NOT NULL,
    gpu TEXT NOT NULL,
    function TEXT NOT NULL,
    image TEXT NOT NULL,
    jobs INTEGER NOT NULL,
    joules REAL NOT NULL,
    idle_joules REAL NOT NULL,
    covered_ms REAL NOT NULL,
    ms REAL NOT NULL,
    power_micro_dollars INTEGER NOT NULL,
    unmeasured_jobs INTEGER NOT NULL,
    unpriced_jobs INTEGER NOT NULL,
    estimated_jobs INTEGER NOT NULL,
    PRIMARY KEY (day, gpu, function, image)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS idle_days (
    day TEXT NOT NULL,
    gpu TEXT NOT NULL,
    joules REAL NOT NULL,
    ms REAL NOT NULL,
    power_micro_dollars INTEGER NOT NULL,
    unpriced_ms REAL NOT NULL,
    PRIMARY KEY (day, gpu)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS energy_totals (
    gpu TEXT NOT NULL,
    use TEXT NOT NULL,
    joules REAL NOT NULL,
    micro_dollars INTEGER NOT NULL,
    PRIMARY KEY (gpu, use)
  ) STRICT, WITHOUT ROWID;
  INSERT INTO energy_totals (gpu, use, joules, micro_dollars)
    SELECT gpu, 'job', sum(joules), max(sum(power_micro_dollars), 0) FROM energy_days
      WHERE NOT EXISTS (SELECT 1 FROM energy_totals) GROUP BY gpu
    UNION ALL SELECT gpu, 'idle', sum(joules), max(sum(power_micro_dollars), 0) FROM idle_days
      WHERE NOT EXISTS (SELECT 1 FROM energy_totals) GROUP BY gpu;`;

const ADD_JOB = `INSERT INTO energy_days (day, gpu, function, image, jobs, joules, idle_joules, covered_ms, ms,
    power_micro_dollars, unmeasured_jobs, unpriced_jobs, estimated_jobs) VALUES (?, ?, ?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET jobs = jobs + 1, joules = joules + excluded.joules,
    idle_joules = idle_joules + excluded.idle_joules, covered_ms = covered_ms + excluded.covered_ms, ms = ms + excluded.ms,
    power_micro_dollars = power_micro_dollars + excluded.power_micro_dollars,
    unmeasured_jobs = unmeasured_jobs + excluded.unmeasured_jobs, unpriced_jobs = unpriced_jobs + excluded.unpriced_jobs,
    estimated_jobs = estimated_jobs + excluded.estimated_jobs`;
const ADD_IDLE = `INSERT INTO idle_days (day, gpu, joules, ms, power_micro_dollars, unpriced_ms) VALUES (?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET joules = joules + excluded.joules, ms = ms + excluded.ms,
    power_micro_dollars = power_micro_dollars + excluded.power_micro_dollars,
    unpriced_ms = unpriced_ms + excluded.unpriced_ms`;
const ADD_TOTAL = `INSERT INTO energy_totals (gpu, use, joules, micro_dollars) VALUES (?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET joules = joules + excluded.joules, micro_dollars = micro_dollars + excluded.micro_dollars`;
const TOTALS = 'SELECT gpu, use, joules, micro_dollars AS microDollars FROM energy_totals ORDER BY gpu, use';
const KNOWN = 'SELECT 1 FROM energy_days WHERE day = ? AND gpu = ? AND function = ? AND image = ?';
const ROWS = 'SELECT count(*) AS count FROM energy_days WHERE day = ?';
const EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'energy_days'";

const NEXT_DAY = `SELECT min(day) AS day FROM (SELECT min(day) AS day FROM energy_days WHERE day > ?1 AND day <= ?2
  UNION ALL SELECT min(day) FROM idle_days WHERE day > ?1 AND day <= ?2)`;
const JOBS = `SELECT day, gpu, function, image, jobs, joules, idle_joules AS idleJoules, covered_ms AS coveredMs, ms,
    power_micro_dollars AS powerMicroDollars, unmeasured_jobs AS unmeasuredJobs, unpriced_jobs AS unpricedJobs,
    estimated_jobs AS estimatedJobs
  FROM energy_days WHERE day = ? ORDER BY gpu, function, image`;
const IDLE = `SELECT day, gpu, joules, ms, power_micro_dollars AS powerMicroDollars, unpriced_ms AS unpricedMs
  FROM idle_days WHERE day = ? ORDER BY gpu`;

const nextRow = z.object({ day: z.string().nullable() });
const countRow = z.object({ count: z.number() });
const jobRows = z.array(
  z.object({
    day: z.string(),
    gpu: z.string(),
    function: z.string(),
    image: z.string(),
    jobs: z.number(),
    joules: z.number(),
    idleJoules: z.number(),
    coveredMs: z.number(),
    ms: z.number(),
    powerMicroDollars: z.number(),
    unmeasuredJobs: z.number(),
    unpricedJobs: z.number(),
    estimatedJobs: z.number(),
  }),
);
const idleRows = z.array(
  z.object({
    day: z.string(),
    gpu: z.string(),
    joules: z.number(),
    ms: z.number(),
    powerMicroDollars: z.number(),
    unpricedMs: z.number(),
  }),
);

const totalRows = z.array(
  z.object({
    gpu: z.string(),
    use: z.enum(['job', 'idle']),
    joules: z.number(),
    microDollars: z.number(),
  }),
);

/** What a GPU or slice has taken with jobs, or a GPU without one, since it is measured; none of it ever falls. */
export type EnergyTotal = Readonly<z.infer<typeof totalRows>[number]>;

/** Whose energy is summed: `gpu` is a GPU, a slice, or `cpu`; function and image are empty where a day has too many. */
export type EnergyKey = {
  readonly day: LocalDay;
  readonly gpu: string;
  readonly function: string;
  readonly image: string;
};

/** The energy of the jobs that ended on a day. `powerMicroDollars` lacks the `unpricedJobs`, `joules` the `unmeasuredJobs`. */
export type DayEnergy = Readonly<z.infer<typeof jobRows>[number]>;

/** What a GPU took on a day without a job; `powerMicroDollars` lacks the `unpricedMs`. */
export type IdleDay = Readonly<z.infer<typeof idleRows>[number]>;

/** The energy of each day, of jobs and of GPUs without one. */
export class EnergyDays {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  /** Adds a job; to be called in the transaction of its end. */
  addJob(key: EnergyKey, energy: PricedEnergy): void {
    const { prepared } = this.#access;
    const { day, function: name, gpu, image } = key;
    // As in the ledger: a buyer may give each job a function of its own.
    const isKnown = prepared(KNOWN).get(day, gpu, name, image) !== undefined;
    const isFull = !isKnown && countRow.parse(prepared(ROWS).get(day)).count >= LIMITS.journal.ledgerDay.max;
    const names = isFull ? ['', ''] : [name, image];
    const { coveredMs, idleJoules, isCostEstimate, joules, ms, powerMicroDollars } = energy;
    const isUnmeasured = Number(!isMeasured(energy));
    const isUnpriced = Number(powerMicroDollars === undefined);
    prepared(ADD_JOB).run(
      day,
      gpu,
      ...names,
      joules,
      idleJoules,
      coveredMs,
      ms,
      powerMicroDollars ?? 0,
      isUnmeasured,
      isUnpriced,
      Number(isCostEstimate),
    );
    if (isMeasured(energy)) this.#addTotal(gpu, 'job', joules, powerMicroDollars);
  }

  /** Adds what a GPU took without a job; to be called in a transaction. */
  addIdle({ at, gpu, joules, ms, powerMicroDollars }: IdleUse): void {
    const unpricedMs = powerMicroDollars === undefined ? ms : 0;
    this.#access
      .prepared(ADD_IDLE)
      .run(localDayOf(at), gpu, Math.max(joules, 0), ms, powerMicroDollars ?? 0, unpricedMs);
    this.#addTotal(gpu, 'idle', joules, powerMicroDollars);
  }

  /** The sums of each GPU since it is measured. */
  totals(): readonly EnergyTotal[] {
    const { prepared, read } = this.#access;
    return totalRows.parse(read(() => prepared(TOTALS).all()));
  }

  /** A time at which power had a negative price adds nothing: a counter that falls would count as one that began again. */
  #addTotal(gpu: string, use: EnergyTotal['use'], joules: number, microDollars = 0): void {
    this.#access.prepared(ADD_TOTAL).run(gpu, use, Math.max(joules, 0), Math.max(microDollars, 0));
  }

  /** The days after one, up to another, oldest first. A `yield` follows each day's read. */
  *between(
    after: LocalDay,
    last: LocalDay,
  ): Generator<'long', { readonly jobs: readonly DayEnergy[]; readonly idle: readonly IdleDay[] }> {
    const { prepared, read } = this.#access;
    const [jobs, idle]: [DayEnergy[], IdleDay[]] = [[], []];
    if (read(() => prepared(EXISTS).get()) === undefined) return { jobs, idle };
    for (let day: LocalDay | null = after; ; yield 'long') {
      const before: LocalDay = day;
      ({ day } = nextRow.parse(read(() => prepared(NEXT_DAY).get(before, last))));
      if (day === null) return { jobs, idle };
      const current: LocalDay = day;
      jobs.push(...jobRows.parse(read(() => prepared(JOBS).all(current))));
      idle.push(...idleRows.parse(read(() => prepared(IDLE).all(current))));
    }
  }
}
