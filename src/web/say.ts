import type { Preview, Reclaimed, Status, Target } from './answers.ts';
import { counted, type Formats, UNKNOWN, visible } from './format.ts';

/* What the page says about the agent, in sentences. All functions are pure; `now` is the agent's time in ISO 8601. */

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

/** Why something takes no new jobs, until when, and how long that is. */
export function whyUntil(
  { until, why }: { readonly why: string; readonly until: string | null },
  now: string,
  formats: Formats,
): string {
  const end = until === null ? '' : ` ${formats.until(until, now)}`;
  return `${visible(why)}${end}`;
}

function isHeld(state: Status['state']): boolean {
  return state === 'held' || state === 'blocked';
}

/** What a GPU is called in short, and its model or kind beside that. */
export function targetName({ index, kind, model, name, profile }: Target): {
  readonly name: string;
  readonly more: string;
} {
  if (kind === 'cpu') return { name: 'CPU', more: 'jobs without a GPU' };
  if (index === null) return { name: visible(name), more: '' };
  const of = visible(model ?? '').replace(/^NVIDIA (?:GeForce )?/, '');
  return { name: `GPU ${index}`, more: profile === null ? of : `${of} · ${visible(profile)}` };
}

/** The state of a target in few words, and all that they stand for. */
export function targetBadge(
  { figures, hold, jobs, mode, slots }: Target,
  isTaking: boolean,
  now: string,
  formats: Formats,
): { readonly word: string; readonly tone: Tone; readonly title?: string } {
  if (hold !== null) {
    const word = hold.kind === 'manual' && mode === 'off' ? 'off' : HOLD_WORDS[hold.kind];
    const end = hold.until === null ? '' : ` until ${formats.time(hold.until, now)}`;
    return {
      word: `${word}${end}`,
      tone: hold.kind === 'safety' ? 'bad' : 'warn',
      title: `No new jobs: ${whyUntil(hold, now, formats)}`,
    };
  }
  if (figures?.throttle.some((why) => why.endsWith('thermal'))) return { word: 'hot', tone: 'warn' };
  if (jobs.length > 0) return { word: 'working', tone: 'good' };
  if (slots === 0) return { word: 'not offered', tone: 'idle' };
  return { word: figures?.asleep ? 'asleep' : isTaking ? 'waiting' : 'idle', tone: 'idle' };
}

const HOLD_WORDS = {
  safety: 'cordoned',
  manual: 'paused',
  presence: 'in use',
  calendar: 'scheduled',
} as const;

/** Whether a pause keeps a target from jobs, which a resume would end. */
export function isPaused({ hold, mode }: Pick<Target, 'hold' | 'mode'>): boolean {
  return hold?.kind === 'manual' && mode !== 'off';
}

/** Whether everything that is offered is paused. */
export function isAllPaused({ targets }: Pick<Status, 'targets'>): boolean {
  const offered = targets.filter(({ slots }) => slots > 0);
  return offered.length > 0 && offered.every(isPaused);
}

/** The mode of all targets; undefined: they have several, or there are none. */
export function modeOf(targets: readonly Pick<Target, 'mode'>[]): Target['mode'] | undefined {
  const modes = new Set(targets.map(({ mode }) => mode));
  return modes.size === 1 ? targets[0]?.mode : undefined;
}

/** What taking GPUs back now would cost: `2 jobs, 14 min and 3 min in: $0.85 unpaid; or wait, at the latest until 18:42.` */
export function costText({ jobs }: Preview, now: string, { duration, money, time }: Formats): string {
  const ages = jobs.map(({ ranMs }) => duration(ranMs));
  const shown = ages.length > 3 ? [...ages.slice(0, 2), `${ages.length - 2} others`] : ages;
  const unpaid = jobs.reduce((sum, job) => sum + job.unpaid, 0);
  const last =
    jobs
      .map(({ endsBy }) => endsBy)
      .sort()
      .at(-1) ?? now;
  return `${counted(jobs.length, 'job')}, ${listed(shown)} in: ${money(unpaid)} unpaid; or wait, at the latest until ${time(last, now)}.`;
}

/** What a reclaim has done: a line about the jobs, and one for each GPU's memory. */
export function reclaimLines(
  { gpus, jobs, left, targets, tookMs }: Reclaimed,
  { count, duration }: Formats,
): readonly { readonly text: string; readonly isDone: boolean }[] {
  const over = jobs.length - left.length;
  const name = (uuid: string): string => visible(targets.find(({ target }) => target === uuid)?.name ?? uuid);
  const mib = (size: number | null): string => (size === null ? UNKNOWN : `${count(size)} MiB`);
  const released =
    jobs.length === 0
      ? 'No job was running.'
      : `${counted(over, 'job')} released to the market, after ${duration(tookMs)}.`;
  const still =
    left.length === 0
      ? []
      : [{ text: `${counted(left.length, 'job')} not ended yet, and will be.`, isDone: false }];
  const memory = gpus.map(({ gpu, inUseMiB, processes, state }) => {
    if (state === 'free') return { text: `${name(gpu)}: its memory is free.`, isDone: true };
    if (state === 'unknown')
      return { text: `${name(gpu)}: nvidia-smi does not say who uses its memory.`, isDone: false };
    const who = processes.map(({ pid, usedMiB }) => `process ${pid} (${mib(usedMiB)})`);
    const by = who.length === 0 ? 'no process that nvidia-smi shows' : listed(who);
    return {
      text: `${name(gpu)}: ${inUseMiB === 0 ? 'its memory is' : `${mib(inUseMiB)} are`} still in use, by ${by}.`,
      isDone: false,
    };
  });
  return [{ text: released, isDone: true }, ...still, ...memory];
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}
