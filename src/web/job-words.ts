import type { JobRow, Status } from './answers.ts';
import type { Tone } from './target-words.ts';

const STATES: Readonly<Record<string, readonly [words: string, tone: Tone]>> = {
  claiming: ['claiming', 'good'],
  claimed: ['claimed', 'good'],
  starting: ['starting', 'good'],
  running: ['running', 'good'],
  finished: ['finished', 'idle'],
  reported: ['reported', 'idle'],
  releasing: ['releasing', 'idle'],
  released: ['released', 'idle'],
  cancelling: ['cancelling', 'idle'],
  dropped: ['dropped', 'idle'],
};

const OUTCOMES = {
  succeeded: ['succeeded', 'idle'],
  failed: ['failed', 'bad'],
  timeout: ['timed out', 'bad'],
} as const;

/** The outcomes of jobs with their words, for a filter. */
export const JOB_OUTCOMES = Object.entries(OUTCOMES).map(([outcome, [words]]) => [outcome, words] as const);

/** The states that a job can be in, for a filter. */
export const JOB_STATES: readonly string[] = Object.keys(STATES);

type Result = Pick<JobRow, 'outcome' | 'state'>;

/** A job’s state in a word or two: its outcome where it has one. Pure. */
export function stateWords({
  outcome,
  state,
}: {
  readonly outcome: JobRow['outcome'];
  readonly state: string;
}): { readonly words: string; readonly tone: Tone } {
  const [words, tone] = (outcome === null ? undefined : OUTCOMES[outcome]) ??
    STATES[state] ?? [state, 'idle'];
  return { words, tone };
}

/** How many of the day’s jobs did not succeed, by how they ended: `1 failed`, `2 timed out`. Pure. */
export function unsuccessful(
  { cancelled, failed, released, timeout }: Status['today']['jobs'],
  count: (value: number) => string,
): readonly string[] {
  const kinds = [
    [failed, OUTCOMES.failed[0]],
    [timeout, OUTCOMES.timeout[0]],
    [released, 'released'],
    [cancelled, 'cancelled'],
  ] as const;
  return kinds.flatMap(([jobs, words]) => (jobs > 0 ? [`${count(jobs)} ${words}`] : []));
}

/** What a job’s pay depends on: `paid` with a sum, `pending`, `unpaid` for ever, or `open` while it is not decided. Pure. */
export function payOf({
  earned,
  outcome,
  state,
}: Result & Pick<JobRow, 'earned'>): 'paid' | 'pending' | 'unpaid' | 'open' {
  if (state === 'reported') return earned !== null && earned > 0 ? 'paid' : 'unpaid';
  if (state === 'finished') return outcome === 'failed' ? 'unpaid' : 'pending';
  if (['releasing', 'released', 'cancelling', 'dropped'].includes(state)) return 'unpaid';
  return 'open';
}

/** Why a job is not paid; undefined: it is, or may be. Pure. */
export function whyUnpaid(row: Result & Pick<JobRow, 'earned' | 'why'>): string | undefined {
  if (payOf(row) !== 'unpaid') return undefined;
  if (row.why !== null) return row.why;
  if (row.outcome === 'failed') return 'failed jobs are not paid';
  return row.state === 'reported' ? 'the broker paid nothing for it' : undefined;
}

/** Whether a job has ended on this host. Pure. */
export function hasEnded({ state }: Pick<JobRow, 'state'>): boolean {
  return !['claiming', 'claimed', 'starting', 'running'].includes(state);
}
