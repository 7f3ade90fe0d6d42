import { z } from 'zod';
import { CPU_TARGET } from '../domain/hold.ts';
import type { JobRecord, JobState } from '../domain/job.ts';
import { type PricedEnergy, unmeasured } from '../domain/job-energy.ts';
import { localDayOf } from '../domain/local-day.ts';
import type { EnergyProgress, EnergyStore, JobMeter } from '../domain/ports/energy-store.ts';
import type { MeasuredPower } from '../domain/power-model.ts';
import type { Access } from './access.ts';
import { EnergyDays } from './energy-days.ts';

/**
 * The energy of jobs, for as long as they are in the journal: `ended_at` is null while it is measured, and all of it is since
 * the latest claim. A job of an older agent has no row: its energy is unknown. What such an agent left unfinished is deleted.
 */
export const CREATE_JOB_ENERGY = `CREATE TABLE IF NOT EXISTS job_energy (
    seq INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    ended_at INTEGER,
    joules REAL NOT NULL,
    idle_joules REAL NOT NULL,
    covered_ms REAL NOT NULL,
    ms REAL NOT NULL,
    is_estimate INTEGER NOT NULL,
    power_micro_dollars INTEGER,
    is_cost_estimate INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS gpu_power (
    gpu TEXT PRIMARY KEY,
    idle_w TEXT NOT NULL,
    busy_w TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  DELETE FROM job_energy WHERE ended_at IS NULL AND job NOT IN
    (SELECT uuid FROM jobs WHERE state IN ('starting', 'running', 'cancelling'));`;

const WRITE = `INSERT INTO job_energy
    (job, at, ended_at, joules, idle_joules, covered_ms, ms, is_estimate, power_micro_dollars, is_cost_estimate)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (job) DO UPDATE SET at = excluded.at, ended_at = excluded.ended_at, joules = excluded.joules,
    idle_joules = excluded.idle_joules, covered_ms = excluded.covered_ms, ms = excluded.ms,
    is_estimate = excluded.is_estimate, power_micro_dollars = excluded.power_micro_dollars,
    is_cost_estimate = excluded.is_cost_estimate`;
const READ = `SELECT job, ended_at, joules, idle_joules, covered_ms, ms, is_estimate, power_micro_dollars, is_cost_estimate
  FROM job_energy`;
const WRITE_POWER = 'INSERT OR REPLACE INTO gpu_power (gpu, idle_w, busy_w) VALUES (?, ?, ?)';
const EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'job_energy'";

const row = z.object({
  job: z.string(),
  ended_at: z.number().nullable(),
  joules: z.number(),
  idle_joules: z.number(),
  covered_ms: z.number(),
  ms: z.number(),
  is_estimate: z.number(),
  power_micro_dollars: z.number().nullable(),
  is_cost_estimate: z.number(),
});
const rows = z.array(row);
const watts = z.string().transform((text) => z.array(z.number()).parse(JSON.parse(text)));
const powerRows = z.array(z.object({ gpu: z.string(), idle_w: watts, busy_w: watts }));

/** The energy of jobs in the journal, and by day what jobs and idle GPUs took. */
export class EnergyTables implements EnergyStore {
  readonly days: EnergyDays;
  readonly #access: Access;
  #meter: JobMeter | undefined;

  constructor(access: Access) {
    this.#access = access;
    this.days = new EnergyDays(access);
  }

  meterBy(meter: JobMeter): void {
    this.#meter = meter;
  }

  /** Forgets the energy of an earlier claim; to be called in the transaction of the new one. */
  claimed(job: string): void {
    this.#access.prepared('DELETE FROM job_energy WHERE job = ?').run(job);
  }

  /** Enters a job that has stopped running; to be called in the transaction of its change. */
  add(job: JobRecord, to: JobState, at: number): void {
    const from = job.state.name;
    const isCancelled = from === 'cancelling' && to.name === 'dropped';
    const hasRun = from === 'starting' || from === 'running';
    if (!isCancelled && !(hasRun && (to.name === 'finished' || to.name === 'releasing'))) return;
    const durationMs = to.name === 'finished' ? to.durationMs : undefined;
    const energy =
      this.#meter?.ended(job, durationMs) ??
      this.#last(job.uuid) ??
      (job.state.name === 'running'
        ? unpriced(durationMs ?? Math.max(at - job.state.startedAt, 0))
        : undefined);
    if (energy === undefined) return;
    this.#write(job.uuid, energy, at, at);
    const { functionName, gpu, image } = job;
    const key = { day: localDayOf(at), gpu: gpu ?? CPU_TARGET, function: functionName, image };
    this.days.addJob(key, energy);
  }

  save({ at, idle, jobs, power }: EnergyProgress): void {
    const { prepared, write } = this.#access;
    write(() => {
      for (const [job, energy] of jobs) {
        // Its end is written already.
        if (typeof this.#row(job)?.ended_at === 'number') continue;
        const priced = { ...energy, powerMicroDollars: undefined, isCostEstimate: energy.isEstimate };
        this.#write(job, priced, at, null);
      }
      for (const use of idle) this.days.addIdle(use);
      for (const { busyW, gpu, idleW } of power)
        prepared(WRITE_POWER).run(gpu, JSON.stringify(idleW), JSON.stringify(busyW));
    });
  }

  open(): ReadonlyMap<string, PricedEnergy> {
    const { prepared, read } = this.#access;
    const found = rows.parse(read(() => prepared(`${READ} WHERE ended_at IS NULL`).all()));
    return new Map(found.map((one) => [one.job, energyIn(one)]));
  }

  power(): ReadonlyMap<string, MeasuredPower> {
    const { prepared, read } = this.#access;
    const found = powerRows.parse(read(() => prepared('SELECT gpu, idle_w, busy_w FROM gpu_power').all()));
    return new Map(found.map(({ busy_w, gpu, idle_w }) => [gpu, { gpu, idleW: idle_w, busyW: busy_w }]));
  }

  of(job: string): PricedEnergy | undefined {
    const { prepared, read } = this.#access;
    // A journal that only an older agent has written has none.
    if (read(() => prepared(EXISTS).get()) === undefined) return undefined;
    return this.#last(job);
  }

  #last(job: string): PricedEnergy | undefined {
    const found = this.#row(job);
    return found && energyIn(found);
  }

  #row(job: string): z.infer<typeof row> | undefined {
    const { prepared, read } = this.#access;
    const found = read(() => prepared(`${READ} WHERE job = ?`).get(job));
    return found === undefined ? undefined : row.parse(found);
  }

  #write(job: string, energy: PricedEnergy, at: number, endedAt: number | null): void {
    this.#access
      .prepared(WRITE)
      .run(
        job,
        at,
        endedAt,
        energy.joules,
        energy.idleJoules,
        energy.coveredMs,
        energy.ms,
        Number(energy.isEstimate),
        energy.powerMicroDollars ?? null,
        Number(energy.isCostEstimate),
      );
  }
}

function unpriced(ms: number): PricedEnergy {
  return { ...unmeasured(ms), powerMicroDollars: undefined, isCostEstimate: true };
}

function energyIn(found: z.infer<typeof row>): PricedEnergy {
  return {
    joules: found.joules,
    idleJoules: found.idle_joules,
    coveredMs: found.covered_ms,
    ms: found.ms,
    isEstimate: found.is_estimate === 1,
    powerMicroDollars: found.power_micro_dollars ?? undefined,
    isCostEstimate: found.is_cost_estimate === 1,
  };
}
