import { LIMITS } from '../limits.ts';
import { AgentError } from './errors.ts';
import type { Target } from './hold.ts';
import {
  ALL_TARGETS,
  type Decision,
  type Decisions,
  type End,
  inForce,
  keyOf,
  type Now,
  withDecisions,
  withoutDecisions,
} from './owner-decisions.ts';

/** The targets that a command is about. */
export type Targets = readonly Target[] | typeof ALL_TARGETS;

/** What an owner commands. Where `end` is absent it lasts until it is taken back. */
export type OwnerCommand =
  | {
      readonly kind: 'pause';
      readonly targets: Targets;
      readonly end?: End | undefined;
      readonly note?: string | undefined;
      /** Pauses with other tags stay as they are; empty: a pause of the owner's own. */
      readonly tag: string;
    }
  /** Without a tag all pauses of the targets end. */
  | { readonly kind: 'resume'; readonly targets: Targets; readonly tag?: string | undefined }
  | {
      readonly kind: 'mode';
      readonly targets: Targets;
      readonly mode: 'auto' | 'on' | 'off';
      readonly end?: End | undefined;
    };

/** What a command makes of the decisions; `changed`: they say something else than before. */
export type Outcome = { readonly decisions: Decisions; readonly changed: boolean };

/**
 * Applies a command. Pure. `by` is who gave it, `parents` the GPU of each slice. What is over is dropped. Throws
 * DECISIONS_FULL.
 */
export function applyCommand(
  before: Decisions,
  command: OwnerCommand,
  facts: { readonly by: string; readonly parents: ReadonlyMap<Target, Target>; readonly now: Now },
): Outcome {
  const now = inForce(before, facts.now);
  const decisions = next(now, command, facts);
  if (decisions.length > LIMITS.journal.decisions.max && decisions.length > now.length) throw full();
  return { decisions, changed: !sameDecisions(now, decisions) };
}

function full(): AgentError {
  return new AgentError(
    'DECISIONS_FULL',
    `there are ${LIMITS.journal.decisions.max} pauses and modes already`,
    {
      hint: 'end those that are no longer needed, which `sharedcloud-agent status` shows: `sharedcloud-agent resume --tag NAME`',
    },
  );
}

function next(
  before: Decisions,
  command: OwnerCommand,
  {
    by,
    now,
    parents,
  }: { readonly by: string; readonly parents: ReadonlyMap<Target, Target>; readonly now: Now },
): Decisions {
  const { kind, targets } = command;
  if (kind === 'resume')
    return withoutDecisions(before, { kind: 'pause', targets, tag: command.tag }, parents);
  if (kind === 'mode' && command.mode === 'auto')
    return withoutDecisions(before, { kind: 'mode', targets }, parents);
  const made = { since: now.wall, sinceBoot: now.boot, end: command.end, by };
  const added = (targets === ALL_TARGETS ? [ALL_TARGETS] : targets).map((target): Decision => {
    if (command.kind === 'pause')
      return { ...made, kind: 'pause', target, tag: command.tag, note: command.note };
    return { ...made, kind: 'mode', target, mode: command.mode === 'on' ? 'on' : 'off' };
  });
  // What is decided about everything replaces what was decided about each.
  const kept = targets === ALL_TARGETS ? before.filter((one) => !isReplaced(one, added)) : before;
  // A pause without an end that is there already stays as it is, with its maker and its time.
  return withDecisions(
    kept,
    added.map((one) => before.find((old) => saysTheSame(old, one)) ?? one),
  );
}

function isReplaced(one: Decision, [added]: readonly Decision[]): boolean {
  return added !== undefined && keyOf({ ...one, target: ALL_TARGETS }) === keyOf(added);
}

/** Whether a decision without an end repeats an older one. */
function saysTheSame(old: Decision, one: Decision): boolean {
  if (keyOf(old) !== keyOf(one) || old.end !== undefined || one.end !== undefined) return false;
  return old.kind === 'pause'
    ? one.kind === 'pause' && old.note === one.note
    : one.kind === 'mode' && old.mode === one.mode;
}

function sameDecisions(before: Decisions, after: Decisions): boolean {
  const words = (decisions: Decisions): string => JSON.stringify(decisions.toSorted(byKey));
  return words(before) === words(after);
}

function byKey(a: Decision, b: Decision): number {
  return keyOf(a) < keyOf(b) ? -1 : 1;
}
