/** What the GPU of a job took by its sensor while the job ran: the job's share, where jobs share a GPU. */
export type JobEnergy = {
  readonly joules: number;
  /** Of these, what the GPU would have taken idle: 0 while its idle watts are not known. */
  readonly idleJoules: number;
  /** For how long it was measured; 0: never, and its energy is unknown. In milliseconds. */
  readonly coveredMs: number;
  /** How long the job ran, in milliseconds. */
  readonly ms: number;
  /** The sensor sees a part of the time, the idle watts were unknown, or less than 98 % of the time was measured. */
  readonly isEstimate: boolean;
};

/** The energy of a job that ended, and the cost of its power. */
export type PricedEnergy = JobEnergy & {
  /** At the wall, above idle, in millionths of a US dollar; undefined: not measured, or no price was known. */
  readonly powerMicroDollars: number | undefined;
  /** The energy is an estimate, or the price was known for a part of the time. */
  readonly isCostEstimate: boolean;
};

/** Less than this part of its time measured makes the energy of a job an estimate. */
const FULL_COVERAGE = 0.98;

/** A job of so many milliseconds of which nothing is measured. */
export function unmeasured(ms: number): JobEnergy {
  return { joules: 0, idleJoules: 0, coveredMs: 0, ms, isEstimate: true };
}

/** Whether anything of a job's energy was measured. */
export function isMeasured({ coveredMs }: Pick<JobEnergy, 'coveredMs'>): boolean {
  return coveredMs > 0;
}

/**
 * The energy of a job that ran for `ms`: never below 0, no more idle than all, no longer measured than it ran. `isExact`: a
 * sensor that sees all the time, and known idle watts. Pure.
 */
export function jobEnergyOf(
  sum: Pick<JobEnergy, 'joules' | 'idleJoules' | 'coveredMs'>,
  ms: number,
  isExact: boolean,
): JobEnergy {
  const joules = Math.max(sum.joules, 0);
  const length = Math.max(ms, 0);
  const coveredMs = Math.min(Math.max(sum.coveredMs, 0), length);
  return {
    joules,
    idleJoules: Math.min(Math.max(sum.idleJoules, 0), joules),
    coveredMs,
    ms: length,
    isEstimate: !isExact || coveredMs < length * FULL_COVERAGE,
  };
}

/**
 * The joules above idle over all the time of a job: what was not measured counts as the mean of what was. Undefined: nothing
 * was measured. Pure.
 */
export function marginalJoules(energy: JobEnergy): number | undefined {
  if (!isMeasured(energy)) return undefined;
  const { coveredMs, idleJoules, joules, ms } = energy;
  return ((joules - idleJoules) * ms) / coveredMs;
}
