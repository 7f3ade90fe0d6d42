import { type BootTime, elapsedMs } from './boot-time.ts';
import { CPU_TARGET, type Hold, type Target } from './hold.ts';

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

/**
 * The decisions without what is taken back. Pure. A decision about everything, of which some targets are taken back, goes on
 * for the others of `known`.
 */
export function withoutDecisions(
  before: Decisions,
  { kind, tag, targets }: TakeBack,
  known: readonly Target[],
): Decisions {
  const isMeant = (one: Decision): boolean =>
    one.kind === kind && (tag === undefined || (one.kind === 'pause' && one.tag === tag));
  if (targets === ALL_TARGETS) return before.filter((one) => !isMeant(one));
  const others = [...new Set([...known, CPU_TARGET])].filter((target) => !targets.includes(target));
  return before.flatMap((one): Decisions => {
    if (!isMeant(one)) return [one];
    if (one.target !== ALL_TARGETS) return targets.includes(one.target) ? [] : [one];
    // What a target has of its own stays as it is.
    const own = new Set(before.map(keyOf));
    return others.map((target) => ({ ...one, target })).filter((copy) => !own.has(keyOf(copy)));
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
  const about = inForce(decisions, now).filter(
    (one) => one.target === ALL_TARGETS || one.target === target || one.target === parent,
  );
  const lasting = (one: Decision): number => endOf(one, now) ?? Number.POSITIVE_INFINITY;
  const [pause] = about.filter((one) => one.kind === 'pause').toSorted((a, b) => lasting(b) - lasting(a));
  // A mode of the target itself counts before one of everything.
  const modes = about.filter((one) => one.kind === 'mode');
  const mode = modes.find((one) => one.target !== ALL_TARGETS) ?? modes[0];
  const off: Hold | undefined =
    mode?.mode === 'off'
      ? { kind: 'manual', why: `mode off, set by ${mode.by}`, until: endOf(mode, now) }
      : undefined;
  return {
    mode: mode?.mode ?? 'auto',
    modeUntil: mode && endOf(mode, now),
    hold: pause === undefined ? off : pauseHold(pause, now),
  };
}

function pauseHold(pause: Pause, now: Now): Hold {
  const note = pause.note === undefined ? '' : `: ${pause.note}`;
  return { kind: 'manual', why: `paused by ${pause.by}${note}`, until: endOf(pause, now) };
}

/** The milliseconds until the next decision ends by itself; undefined: none does. Pure. */
export function nextEndInMs(decisions: Decisions, now: Now): number | undefined {
  const ends = decisions.flatMap((one) => endOf(one, now) ?? []);
  return ends.length === 0 ? undefined : Math.max(Math.min(...ends) - now.wall, 0);
}
