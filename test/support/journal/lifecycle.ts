import type { JobStateName } from '../../../src/domain/job.ts';
import type { Journal } from '../../../src/domain/ports/journal.ts';
import { newJob, stateNamed } from './samples.ts';

const PATH: readonly JobStateName[] = ['claimed', 'starting', 'running', 'finished', 'reported'];
const STEPS = PATH.length + 1;

/** Takes step `n` of an endless lifecycle: job after job, each from its claim to its report. */
export function takeStep(journal: Journal, n: number): void {
  const uuid = `job-${Math.floor(n / STEPS)}`;
  const next = PATH[(n % STEPS) - 1];
  if (next === undefined) journal.insert(newJob(uuid));
  else journal.transition(uuid, stateNamed(next));
}

/** The state of each job in the journal after the first `n` steps, oldest first. */
export function statesAfter(n: number): readonly JobStateName[] {
  const states: JobStateName[] = [];
  for (let left = n; left > 0; left -= STEPS) {
    states.push(left >= STEPS ? 'reported' : (PATH[left - 2] ?? 'claiming'));
  }
  return states;
}
