import {
  type Condition,
  isWithin,
  type Notice,
  type NotificationState,
  PER_CONDITION,
  PER_KIND,
} from './notification.ts';
import { CONDITIONS, conditionKind, type NotificationKind } from './notification-kinds.ts';

/*
 * When an owner is notified of what was seen. A condition is reported once it has lasted for its grace, and its end once that
 * has lasted. Several of a kind are one notice.
 */

/** So long after the first is due, a notice waits for others of its kind. */
export const GATHER_MS = 10_000;
const MIN_TICK_MS = 1_000;
const MAX_TICK_MS = 60_000;

/** What is to be reported now, and the state once it is. */
export function takeDue(
  state: NotificationState,
  now: number,
): { readonly state: NotificationState; readonly notices: readonly Notice[] } {
  let next = state;
  const notices: Notice[] = [];
  for (const group of groupsOf(state, now)) {
    if (!isKindAllowed(next, group.kind, now)) continue;
    notices.push(group.notice);
    next = {
      ...group.asSent(next),
      sent: [...next.sent, { kind: group.kind, at: now }],
    };
  }
  return { state: next, notices };
}

type Group = {
  readonly kind: NotificationKind;
  readonly notice: Notice;
  /** The state once it is reported. */
  readonly asSent: (state: NotificationState) => NotificationState;
};

function groupsOf(state: NotificationState, now: number): readonly Group[] {
  const ofConditions = CONDITIONS.flatMap((kind) =>
    [true, false].flatMap((isOn): readonly Group[] => {
      const due = state.conditions.filter((one) => one.kind === kind && one.isOn === isOn && isDue(one, now));
      if (!due.some((one) => remainingMs(one) + GATHER_MS <= 0)) return [];
      const asSent = (before: NotificationState): NotificationState => ({
        ...before,
        conditions: before.conditions.map((one) =>
          due.includes(one) ? { ...one, isNotified: isOn, times: 0, sentAt: [...one.sentAt, now] } : one,
        ),
      });
      const items = due.map(({ item, since, times }) => ({ ...item, since, times }));
      return [{ kind, notice: { kind, state: isOn ? 'problem' : 'resolved', items }, asSent }];
    }),
  );
  const kinds = [...new Set(state.incidents.map(({ kind }) => kind))];
  const ofIncidents = kinds.flatMap((kind): readonly Group[] => {
    const due = state.incidents.filter((one) => one.kind === kind);
    if (!due.some(({ waitedMs }) => waitedMs >= GATHER_MS)) return [];
    const asSent = (before: NotificationState): NotificationState => ({
      ...before,
      incidents: before.incidents.filter((one) => one.kind !== kind),
    });
    const items = due.map(({ at, item }) => ({ ...item, since: at, times: 1 }));
    return [{ kind, notice: { kind, state: 'info', items }, asSent }];
  });
  return [...ofConditions, ...ofIncidents];
}

/** Negative: so long ago. */
function remainingMs({ isOn, kind, lastedMs }: Condition): number {
  const { graceMs, settleMs } = conditionKind(kind);
  return (isOn ? graceMs : settleMs) - lastedMs;
}

function isDue(one: Condition, now: number): boolean {
  if (one.isOn === one.isNotified || remainingMs(one) > 0) return false;
  const lately = one.sentAt.filter((at) => isWithin(at, now, PER_CONDITION.windowMs));
  return lately.length < PER_CONDITION.max;
}

function isKindAllowed(state: NotificationState, kind: NotificationKind, now: number): boolean {
  const lately = state.sent.filter((one) => one.kind === kind && isWithin(one.at, now, PER_KIND.windowMs));
  return lately.length < PER_KIND.max;
}

/** After how many milliseconds to call `takeDue` again, if nothing is seen until then. */
export function nextCheckMs({ conditions, incidents }: NotificationState): number {
  const waits = [
    ...conditions
      .filter(({ counts, isOn, isNotified }) => counts && isOn !== isNotified)
      .map((one) => remainingMs(one) + GATHER_MS),
    ...incidents.map(({ waitedMs }) => GATHER_MS - waitedMs),
  ];
  const soonest = waits.reduce((min, ms) => Math.min(min, ms), MAX_TICK_MS);
  // What a limit holds back has been due for long.
  return soonest <= 0 ? MIN_TICK_MS * 10 : Math.max(soonest, MIN_TICK_MS);
}

/** What lasts now and has outlasted its grace, the most urgent kinds first. */
export function openProblems({ conditions }: NotificationState): readonly Condition[] {
  return CONDITIONS.flatMap((kind) =>
    conditions.filter((one) => one.kind === kind && one.isOn && (one.isNotified || remainingMs(one) <= 0)),
  );
}
