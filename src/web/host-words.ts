import type { Status } from './answers.ts';
import { counted, type Formats, listed, visible } from './format.ts';
import { type Tone, targetName, whyUntil } from './target-words.ts';

/* What the page says about the agent. All functions are pure; `now` is the agent’s time in ISO 8601. */

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

/** The state in few words. */
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

/** How many jobs run. */
export function runningJobs({ targets }: Pick<Status, 'targets'>): number {
  return targets.reduce((sum, { jobs }) => sum + jobs.length, 0);
}

/** The state in one sentence, with its reason and end where nothing takes new jobs. */
export function headline({ reason, sentence, state }: Status, now: string, formats: Formats): string {
  if (!isHeld(state) || reason === null) return sentence;
  return `Takes no new jobs: ${whyUntil(reason, now, formats)}`;
}

/** What belongs to the sentence: which jobs run on, or why some targets take no new jobs. Empty: nothing. */
export function besides(status: Status, now: string, formats: Formats): string {
  const { reason, state } = status;
  const jobs = runningJobs(status);
  if (isHeld(state) && reason !== null)
    return jobs === 0
      ? ''
      : `${counted(jobs, 'job')} run${jobs === 1 ? 's' : ''} on to ${jobs === 1 ? 'its' : 'their'} end.`;
  if (reason === null) return '';
  const { targets } = status;
  const names = reason.targets.map((id, index) => {
    const target = targets.find((one) => one.target === id);
    return target === undefined ? visible(reason.names[index] ?? id) : targetName(target).name;
  });
  const who = names.length > 3 ? `${names.length} of ${targets.length}` : listed(names);
  const verb = names.length === 1 ? 'takes' : 'take';
  return names.length === 0
    ? whyUntil(reason, now, formats)
    : `${who} ${verb} no new jobs: ${whyUntil(reason, now, formats)}`;
}

/** The worst problem and what to do about it; `why` is undefined where the sentence on the state names it already. */
export function worstProblem({
  problem,
  reason,
  state,
}: Pick<Status, 'problem' | 'reason' | 'state'>):
  | { readonly why: string | undefined; readonly hint: string | null }
  | undefined {
  if (problem === null) return undefined;
  const isNamed = isHeld(state) && reason?.why === problem.why;
  if (!isNamed) return problem;
  return problem.hint === null ? undefined : { why: undefined, hint: problem.hint };
}

/** Whether the agent takes jobs at all, so that a target without one waits for it. */
export function takesJobs(state: Status['state']): boolean {
  return state === 'working' || state === 'waiting' || state === 'held';
}

function isHeld(state: Status['state']): boolean {
  return state === 'held' || state === 'blocked';
}
