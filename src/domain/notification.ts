import { LIMITS } from '../limits.ts';
import {
  type ConditionKind,
  conditionKind,
  type IncidentKind,
  isCondition,
  type NotificationKind,
} from './notification-kinds.ts';

/*
 * What was seen, and how long it has lasted, for what an owner is notified of; when that is due is in notification-due.ts. Time
 * counts only while the agent runs and the host is awake.
 */

/** About one condition an owner hears at most so often in so long; what changes meanwhile is reported later, as it is then. */
export const PER_CONDITION = { max: 4, windowMs: 6 * 3_600_000 };
/** The same about all of a kind. */
export const PER_KIND = { max: 10, windowMs: 3_600_000 };
/** How long an agent that was started needs to see again what lasts. */
export const CONFIRM_MS = 5 * 60_000;

/** What a notice is about. */
export type NotificationItem = {
  /** Identifies it within its kind. */
  readonly key: string;
  readonly name: string;
  readonly why: string;
  readonly hint: string | undefined;
};

/** What was seen. */
export type Observation =
  /** `counts` false: it lasts, but the time does not count, because it says nothing. */
  | {
      readonly kind: ConditionKind;
      readonly is: 'on';
      readonly item: NotificationItem;
      readonly counts?: false;
    }
  | { readonly kind: ConditionKind; readonly is: 'off'; readonly key: string }
  /** These, and no others of the kind. */
  | { readonly kind: ConditionKind; readonly is: 'all'; readonly items: readonly NotificationItem[] }
  | { readonly kind: IncidentKind; readonly is: 'incident'; readonly item: NotificationItem };

/** Something that lasts, or has ended lately. Times in milliseconds, `since` and `sentAt` of the wall clock. */
export type Condition = {
  readonly kind: ConditionKind;
  readonly item: NotificationItem;
  readonly isOn: boolean;
  /** What the owner knows. */
  readonly isNotified: boolean;
  /** Since when it is on, or no longer. */
  readonly since: number;
  /** The time that counted since then. */
  readonly lastedMs: number;
  readonly counts: boolean;
  /** Since it was seen last. */
  readonly unseenMs: number;
  /** An agent before this one has seen it. */
  readonly isRestored: boolean;
  /** How often it began since the owner was notified last. */
  readonly times: number;
  readonly sentAt: readonly number[];
};

/** Something that happened and was not reported yet. */
export type Incident = {
  readonly kind: IncidentKind;
  readonly item: NotificationItem;
  readonly at: number;
  readonly waitedMs: number;
};

/** Everything that decides what an owner is notified of; kept over a restart. */
export type NotificationState = {
  readonly conditions: readonly Condition[];
  readonly incidents: readonly Incident[];
  /** When the owner was notified of each kind lately. */
  readonly sent: readonly { readonly kind: NotificationKind; readonly at: number }[];
};

/** What the owner is to be notified of. */
export type Notice = {
  readonly kind: NotificationKind;
  readonly state: 'problem' | 'resolved' | 'info';
  readonly items: readonly NoticeItem[];
};

/** `since` when it is so, by the wall clock; `times`: how often it began since the owner was notified last. */
export type NoticeItem = NotificationItem & { readonly since: number; readonly times: number };

export const NOTHING_SEEN: NotificationState = { conditions: [], incidents: [], sent: [] };

/** The state as a later agent takes it over. */
export function restored(state: NotificationState): NotificationState {
  return {
    ...state,
    conditions: state.conditions.map((one) => ({ ...one, isRestored: true, counts: !one.isOn, unseenMs: 0 })),
  };
}

/** The state after something was seen at `now`, by the wall clock. */
export function observe(state: NotificationState, observation: Observation, now: number): NotificationState {
  if (observation.is === 'incident') {
    const { item, kind } = observation;
    const incidents = [...state.incidents, { kind, item, at: now, waitedMs: 0 }];
    return { ...state, incidents: incidents.slice(-LIMITS.notify.items.max) };
  }
  if (observation.is === 'all') {
    const { items, kind } = observation;
    const gone = state.conditions.filter(
      (one) => one.kind === kind && items.every(({ key }) => key !== one.item.key),
    );
    const changes: readonly Observation[] = [
      ...items.map((item) => ({ kind, is: 'on', item }) as const),
      ...gone.map(({ item: { key } }) => ({ kind, is: 'off', key }) as const),
    ];
    return changes.reduce((next, change) => observe(next, change, now), state);
  }
  const key = observation.is === 'on' ? observation.item.key : observation.key;
  const isSame = (one: Condition): boolean => one.kind === observation.kind && one.item.key === key;
  const known = state.conditions.find(isSame);
  const next = observation.is === 'on' ? begun(known, observation, now) : known && ended(known, now);
  if (next === known) return state;
  const conditions = state.conditions.flatMap((one) => (isSame(one) ? [next ?? []].flat() : [one]));
  if (known !== undefined) return { ...state, conditions };
  const isFull = conditions.length >= LIMITS.notify.conditions.max;
  return next === undefined || isFull ? state : { ...state, conditions: [...conditions, next] };
}

function begun(
  known: Condition | undefined,
  { counts, item, kind }: Extract<Observation, { is: 'on' }>,
  now: number,
): Condition {
  const seen = { kind, item, isOn: true, counts: counts ?? true, unseenMs: 0, isRestored: false };
  if (known?.isOn === true) return { ...known, ...seen };
  const before = { isNotified: false, sentAt: [], times: 0, ...known };
  return { ...before, ...seen, since: now, lastedMs: 0, times: before.times + 1 };
}

function ended(known: Condition, now: number): Condition {
  if (!known.isOn) return known;
  return {
    ...known,
    isOn: false,
    counts: true,
    unseenMs: 0,
    isRestored: false,
    since: now,
    lastedMs: 0,
  };
}

/** The state after so many milliseconds in which the agent ran, at `now`. */
export function elapse(state: NotificationState, ms: number, now: number): NotificationState {
  return {
    conditions: state.conditions.map((one) => later(one, ms, now)).filter((one) => isWorthKeeping(one, now)),
    incidents: state.incidents.map((one) => ({ ...one, waitedMs: one.waitedMs + ms })),
    sent: state.sent.filter(({ at }) => isWithin(at, now, PER_KIND.windowMs)),
  };
}

function later(one: Condition, ms: number, now: number): Condition {
  const { endsWithAgent, freshMs = Number.POSITIVE_INFINITY, over, settleMs } = conditionKind(one.kind);
  const unseenMs = one.unseenMs + ms;
  if (one.isOn && one.isRestored && endsWithAgent && unseenMs >= CONFIRM_MS) return ended(one, now);
  const counts = one.counts && (!one.isOn || unseenMs <= freshMs);
  const lastedMs = one.lastedMs + (counts ? ms : 0);
  // An end that nobody is notified of.
  const isNotified = one.isNotified && (one.isOn || over !== undefined || lastedMs < settleMs);
  const sentAt = one.sentAt.filter((at) => isWithin(at, now, PER_CONDITION.windowMs));
  return { ...one, unseenMs, lastedMs, isNotified, sentAt };
}

function isWorthKeeping({ isOn, isNotified, sentAt }: Condition, now: number): boolean {
  return isOn || isNotified || sentAt.some((at) => isWithin(at, now, PER_CONDITION.windowMs));
}

/** Whether a change is one that must outlive a restart; the time that counts is written now and then anyway. */
export function isWorthWriting(before: NotificationState, after: NotificationState): boolean {
  const essence = ({ conditions, incidents, sent }: NotificationState): string =>
    JSON.stringify([
      conditions.map(({ isOn, isNotified, item, kind, sentAt }) => [
        kind,
        item.key,
        isOn,
        isNotified,
        sentAt,
      ]),
      incidents.map(({ at, item, kind }) => [kind, item.key, at]),
      sent,
    ]);
  return essence(before) !== essence(after);
}

/** The state without kinds that are not wanted. */
export function onlyWanted(
  state: NotificationState,
  wanted: (kind: NotificationKind) => boolean,
): NotificationState {
  return {
    conditions: state.conditions.filter(({ kind }) => isCondition(kind) && wanted(kind)),
    incidents: state.incidents.filter(({ kind }) => wanted(kind)),
    sent: state.sent,
  };
}

/** A time that is still to come is of a clock that was set back. */
export function isWithin(at: number, now: number, windowMs: number): boolean {
  return at <= now && now - at < windowMs;
}
