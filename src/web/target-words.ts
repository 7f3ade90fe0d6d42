import type { Status, Target } from './answers.ts';
import { type Formats, visible } from './format.ts';

/* What the page says about GPUs and CPU slots. All functions are pure; `now` is the agent’s time in ISO 8601. */

/** How good a state is: it chooses the colour. */
export type Tone = 'good' | 'idle' | 'warn' | 'bad';

/** Why something takes no new jobs, until when, and how long that is. */
export function whyUntil(
  { until, why }: { readonly why: string; readonly until: string | null },
  now: string,
  formats: Formats,
): string {
  const end = until === null ? '' : ` ${formats.until(until, now)}`;
  return `${visible(why)}${end}`;
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

/** As `targetName`, on one line. */
export function targetLabel(target: Target): string {
  const { more, name } = targetName(target);
  return more === '' || target.kind === 'cpu' ? name : `${name} · ${more}`;
}

/** What an offer is called in short, by its key. */
export function offerName(key: string): string {
  return key === 'cpu' ? 'CPU' : visible(key).replace(/^gpu:(?:NVIDIA )?(?:GeForce )?/, '');
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
