const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;

/** What an owner may be notified of. Times in milliseconds. */
type KindTable = {
  /** For the documents, and for `notify test`. */
  readonly what: string;
  /** How urgent it is; ntfy shows it as a priority. */
  readonly urgency: 'high' | 'normal' | 'low';
  /** The title for one item, and for several. */
  readonly title: (name: string) => string;
  readonly titleOfMany?: (count: number) => string;
};

/** What lasts, and is over at some time. */
type ConditionTable = KindTable & {
  /** What ends within this time is not reported. */
  readonly graceMs: number;
  /** How long it must be over to count as over. */
  readonly settleMs: number;
  /** The titles once it is over; absent: that is not reported. */
  readonly over?: (name: string) => string;
  readonly overOfMany?: (count: number) => string;
  /** Without another sign of it for so long, nobody knows whether it lasts; absent: it lasts until its end is seen. */
  readonly freshMs?: number;
  /** After a restart of the agent it is over unless it is seen again. */
  readonly endsWithAgent: boolean;
};

/** Everything that lasts. */
export const CONDITION_KINDS = {
  'gpu-cordoned': {
    what: 'a GPU takes no jobs because it is sick',
    urgency: 'high',
    graceMs: 2 * MINUTE_MS,
    settleMs: 2 * MINUTE_MS,
    endsWithAgent: true,
    title: (name) => `${name} takes no jobs`,
    titleOfMany: (count) => `${count} GPUs take no jobs`,
    over: (name) => `${name} takes jobs again`,
    overOfMany: (count) => `${count} GPUs take jobs again`,
  },
  'token-refused': {
    what: 'the broker does not accept the token',
    urgency: 'high',
    graceMs: 2 * MINUTE_MS,
    settleMs: MINUTE_MS,
    freshMs: 5 * MINUTE_MS,
    endsWithAgent: false,
    title: () => 'the broker refuses the token',
    over: () => 'the broker accepts the token again',
  },
  'broker-unreachable': {
    what: 'the broker does not answer, or not as it should',
    urgency: 'high',
    graceMs: 10 * MINUTE_MS,
    settleMs: MINUTE_MS,
    freshMs: 5 * MINUTE_MS,
    endsWithAgent: false,
    title: () => 'the broker is unreachable',
    over: () => 'the broker is reachable again',
  },
  'claiming-blocked': {
    what: 'this host can claim no jobs: Docker, state directory, memory and the like',
    urgency: 'high',
    graceMs: 10 * MINUTE_MS,
    settleMs: MINUTE_MS,
    endsWithAgent: true,
    title: () => 'this host can claim no jobs',
    over: () => 'this host can claim jobs again',
  },
  'disk-low': {
    what: 'this host has too little free disk to claim jobs',
    urgency: 'high',
    graceMs: MINUTE_MS,
    settleMs: 5 * MINUTE_MS,
    endsWithAgent: true,
    title: () => 'too little free disk',
    over: () => 'enough free disk again',
  },
  'no-jobs': {
    what: 'no job was started for a day in which the offer was on the market, and the owner kept nothing from jobs',
    urgency: 'low',
    graceMs: DAY_MS,
    settleMs: 0,
    endsWithAgent: false,
    title: () => 'no job for a day',
    over: () => 'jobs are coming again',
  },
  vulnerability: {
    what: 'a version on this host has a known vulnerability that matters to jobs',
    urgency: 'normal',
    graceMs: 0,
    settleMs: MINUTE_MS,
    endsWithAgent: false,
    title: () => 'a known vulnerability',
    titleOfMany: (count) => `${count} known vulnerabilities`,
  },
} as const satisfies Readonly<Record<string, ConditionTable>>;

/** Everything else. */
export const INCIDENT_KINDS = {
  'reclaim-incomplete': {
    what: 'GPUs were reclaimed, and somebody still uses their memory',
    urgency: 'normal',
    title: (name) => `${name} is still in use after a reclaim`,
    titleOfMany: (count) => `${count} GPUs are still in use after a reclaim`,
  },
  'daily-summary': {
    what: 'jobs by outcome, what they earned, what is pending, and problems; at `--notify-daily-at`',
    urgency: 'low',
    title: (name) => name,
  },
} as const satisfies Readonly<Record<string, KindTable>>;

export type ConditionKind = keyof typeof CONDITION_KINDS;
export type IncidentKind = keyof typeof INCIDENT_KINDS;
export type NotificationKind = ConditionKind | IncidentKind;

/** All kinds, in the order of the documents. */
export const NOTIFICATION_KINDS: readonly NotificationKind[] = [
  'gpu-cordoned',
  'token-refused',
  'broker-unreachable',
  'claiming-blocked',
  'disk-low',
  'no-jobs',
  'reclaim-incomplete',
  'vulnerability',
  'daily-summary',
];

/** The general type, for code that handles all conditions. */
export function conditionKind(kind: ConditionKind): ConditionTable {
  return CONDITION_KINDS[kind];
}

/** The general type, for code that handles all kinds. */
export function notificationKind(kind: NotificationKind): KindTable {
  return isCondition(kind) ? CONDITION_KINDS[kind] : INCIDENT_KINDS[kind];
}

export function isCondition(kind: NotificationKind): kind is ConditionKind {
  return Object.hasOwn(CONDITION_KINDS, kind);
}

/** The kinds of what lasts. */
export const CONDITIONS: readonly ConditionKind[] = NOTIFICATION_KINDS.filter(isCondition);
