/** What is assumed of a function that has not run here, and how many jobs that weighs. */
const PRIOR_CHANCE = 0.9;
const PRIOR_JOBS = 5;
/** Chances that hardly differ are equal, so that other things decide. */
const STEPS = 20;

/** How the latest jobs of a function ended here. */
export type FunctionOutcomes = { readonly paid: number; readonly ended: number };

/**
 * The chance that a job is paid, from 0 to 1, by what became of the function's latest jobs here, mixed with the usual 90 %
 * of five jobs, so that one failure bars no function. In steps of a twentieth. Pure.
 */
export function paidChance({ ended, paid }: FunctionOutcomes = { paid: 0, ended: 0 }): number {
  const chance = (paid + PRIOR_JOBS * PRIOR_CHANCE) / (ended + PRIOR_JOBS);
  return Math.round(chance * STEPS) / STEPS;
}
