import { type BootTime, elapsedMs } from './boot-time.ts';
import type { Hold, Target } from './hold.ts';

/** A decision about everything, also about GPUs that come later. */
export const ALL_TARGETS = 'all';

/** When a decision ends by itself: after a time, or at a time of day. */
export type End =
  /** After so many milliseconds since it was made. */
  | { readonly kind: 'after'; readonly ms: number }
  /** At this time of the wall clock, in milliseconds. */
  | { readonly kind: 'at'; readonly at: number };

type Made = {
  /** Or ALL_TARGETS. */
  readonly target: Target;
  /** What it is not about any more. */
  readonly except?: readonly Target[] | undefined;
  /** When it was made, by the wall clock and by a clock that cannot be set. */
  readonly since: number;
  readonly sinceBoot: BootTime;
  /** Undefined: it lasts until it is taken back. */
  readonly end?: End | undefined;
  /** Who made it, as they named themselves. */
  readonly by: string;
};

/** No new jobs for a target. One target may have several, each with a tag of its own, such as one per Slurm job. */
export type Pause = Made & {
  readonly kind: 'pause';
  readonly tag: string;
  readonly note?: string | undefined;
};

/** What the owner decided about rules: `on` overrides presence and calendar, `off` takes no jobs at all. */
export type Mode = Made & { readonly kind: 'mode'; readonly mode: 'on' | 'off' };

export type Decision = Pause | Mode;

/** All decisions that are in force or were until a moment ago; at most one pause per target and tag, one mode per target. */
export type Decisions = readonly Decision[];

/** The time by both clocks. */
export type Now = { readonly wall: number; readonly boot: BootTime };

/**
 * Whether a decision is over. Pure. No step of the wall clock ends one early: within one boot the time since it was made
 * counts too, by a clock that nobody sets.
 */
export function isOver({ end, since, sinceBoot }: Decision, { boot, wall }: Now): boolean {
  if (end === undefined) return false;
  const elapsed = elapsedMs(sinceBoot, boot);
  if (end.kind === 'after') return (elapsed ?? wall - since) >= end.ms;
  return wall >= end.at && (elapsed ?? Number.POSITIVE_INFINITY) >= end.at - since;
}

/** When a decision is expected to end, by the wall clock as it is now, in milliseconds; undefined: it does not. */
export function endOf({ end, since, sinceBoot }: Decision, { boot, wall }: Now): number | undefined {
  if (end === undefined) return undefined;
  const elapsed = elapsedMs(sinceBoot, boot);
  if (end.kind === 'after') return wall + Math.max(end.ms - (elapsed ?? wall - since), 0);
  return elapsed === undefined ? end.at : Math.max(end.at, wall + end.at - since - elapsed);
}

/** The decisions without those that are over. Pure. */
export function inForce(decisions: Decisions, now: Now): Decisions {
  return decisions.filter((decision) => !isOver(decision, now));
}

/** The decisions with these added, each in place of the one of the same target, kind and tag. Pure. */
export function withDecisions(before: Decisions, added: Decisions): Decisions {
  const keys = new Set(added.map(keyOf));
  return [...before.filter((one) => !keys.has(keyOf(one))), ...added];
}

/** What to take back: of these targets or all, and of pauses only those with the tag, where one is named. */
export type TakeBack = {
  readonly kind: Decision['kind'];
  readonly targets: readonly Target[] | typeof ALL_TARGETS;
  readonly tag?: string | undefined;
};

/** The GPU of each MIG slice. */
type Parents = ReadonlyMap<Target, Target>;

/**
 * The decisions without what is taken back. Pure. A decision about everything, or about a GPU of which only slices are taken
 * back, goes on for all others, also for those that come later.
 */
export function withoutDecisions(
  before: Decisions,
  { kind, tag, targets }: TakeBack,
  parents: Parents,
): Decisions {
  const isMeant = (one: Decision): boolean =>
    one.kind === kind && (tag === undefined || (one.kind === 'pause' && one.tag === tag));
  if (targets === ALL_TARGETS) return before.filter((one) => !isMeant(one));
  return before.flatMap((one): Decisions => {
    if (!isMeant(one)) return [one];
    if (targets.includes(one.target)) return [];
    const part =
      one.target === ALL_TARGETS ? targets : targets.filter((target) => parents.get(target) === one.target);
    return part.length === 0 ? [one] : [{ ...one, except: [...new Set([...(one.except ?? []), ...part])] }];
  });
}

/** A decision’s identity: there is at most one. */
export function keyOf(one: Decision): string {
  return JSON.stringify([one.target, one.kind, one.kind === 'pause' ? one.tag : '']);
}

/** What the owner's decisions say about a target. */
export type Decided = {
  readonly mode: 'auto' | 'on' | 'off';
  /** When the mode goes back to `auto` by itself, in milliseconds of the wall clock; undefined: it does not. */
  readonly modeUntil: number | undefined;
  readonly hold: Hold | undefined;
};

/**
 * What the owner's decisions say about a target, of which `parent` is the GPU if it is a MIG slice. Pure. The pause that
 * lasts longest is the one that is shown.
 */
export function decided(decisions: Decisions, target: Target, parent: Target | undefined, now: Now): Decided {
  const about = inForce(decisions, now).filter((one) => isAbout(one, target, parent));
  const lasting = (one: Decision): number => endOf(one, now) ?? Number.POSITIVE_INFINITY;
  const [pause] = about.filter((one) => one.kind === 'pause').toSorted((a, b) => lasting(b) - lasting(a));
  const modes = about.filter((one) => one.kind === 'mode');
  // That of the target itself counts before one of its GPU, and that before one of everything.
  const mode = [target, parent, ALL_TARGETS]
    .map((which) => modes.find((one) => one.target === which))
    .find((one) => one !== undefined);
  return {
    mode: mode?.mode ?? 'auto',
    modeUntil: mode && endOf(mode, now),
    hold: pause === undefined ? offHold(mode, now) : pauseHold(pause, now),
  };
}

/** Whether a decision is about a target, of which `parent` is the GPU if it is a slice. */
function isAbout(
  { except = [], target: about }: Decision,
  target: Target,
  parent: Target | undefined,
): boolean {
  if (except.includes(target) || (parent !== undefined && except.includes(parent))) return false;
  return about === ALL_TARGETS || about === target || about === parent;
}

function pauseHold(pause: Pause, now: Now): Hold {
  const note = pause.note === undefined ? '' : `: ${pause.note}`;
  const hint = `end it with sharedcloud-agent resume${pause.tag === '' ? '' : ` --tag ${pause.tag}`}`;
  return { kind: 'manual', why: `paused by ${pause.by}${note}`, until: endOf(pause, now), hint };
}

function offHold(mode: Mode | undefined, now: Now): Hold | undefined {
  if (mode?.mode !== 'off') return undefined;
  const hint = 'end it with sharedcloud-agent mode auto; resume ends pauses only';
  return { kind: 'manual', why: `mode off, set by ${mode.by}`, until: endOf(mode, now), hint };
}

/** The milliseconds until the next decision ends by itself; undefined: none does. Pure. */
export function nextEndInMs(decisions: Decisions, now: Now): number | undefined {
  const ends = decisions.flatMap((one) => endOf(one, now) ?? []);
  return ends.length === 0 ? undefined : Math.max(Math.min(...ends) - now.wall, 0);
}
