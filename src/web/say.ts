import type { Status } from './answers.ts';

/** How good a state is: it chooses the colour. */
export type Tone = 'good' | 'idle' | 'warn' | 'bad';

export const TONES: Readonly<Record<Status['state'], Tone>> = {
  starting: 'idle',
  blocked: 'bad',
  held: 'warn',
  working: 'good',
  waiting: 'idle',
  draining: 'warn',
  evicting: 'warn',
  stopped: 'bad',
};

/** The state in one word or two. */
export const STATE_WORDS: Readonly<Record<Status['state'], string>> = {
  starting: 'Starting',
  blocked: 'Blocked',
  held: 'Takes no new jobs',
  working: 'Working',
  waiting: 'Waiting for jobs',
  draining: 'Ending',
  evicting: 'Ending',
  stopped: 'Stopped',
};

/** How many jobs run. Pure. */
export function runningJobs({ targets }: Pick<Status, 'targets'>): number {
  return targets.reduce((sum, { jobs }) => sum + jobs.length, 0);
}
