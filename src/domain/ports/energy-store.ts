import type { JobRecord } from '../job.ts';
import type { JobEnergy, PricedEnergy } from '../job-energy.ts';
import type { MeasuredPower } from '../power-model.ts';

/** Measures the jobs that run. */
export interface JobMeter {
  /**
   * The energy of a job that has just ended; undefined: it never ran. Called in the transaction in which its end is written,
   * and again where that fails. `durationMs` is how long it ran, where that is known better.
   */
  ended(job: JobRecord, durationMs: number | undefined): PricedEnergy | undefined;
}

/** What a GPU took while no job was on it; on its day of the wall clock `at`. */
export type IdleUse = {
  readonly gpu: string;
  readonly at: number;
  readonly joules: number;
  /** How long that was measured. */
  readonly ms: number;
  /** At the wall; undefined: no price is known. */
  readonly powerMicroDollars: number | undefined;
};

/** What was measured since the last time; the energy of a job is all since its start. */
export type EnergyProgress = {
  /** By the wall clock, in milliseconds. */
  readonly at: number;
  readonly jobs: ReadonlyMap<string, JobEnergy>;
  readonly idle: readonly IdleUse[];
  readonly power: readonly MeasuredPower[];
};

/** Where energy is kept. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface EnergyStore {
  /** Asks this meter whenever a job ends, from now on. */
  meterBy(meter: JobMeter): void;
  /** Writes what runs on, all or none, so that a crash loses no more than what came after. */
  save(progress: EnergyProgress): void;
  /** The jobs that were measured and have not ended, with their energy as it was last written. */
  open(): ReadonlyMap<string, JobEnergy>;
  /** The power that was measured, by GPU or slice. */
  power(): ReadonlyMap<string, MeasuredPower>;
  /** A job's energy since its latest claim, while it runs what was written last; undefined: unknown. */
  of(job: string): PricedEnergy | undefined;
}
