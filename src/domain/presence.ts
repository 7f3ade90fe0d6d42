/*
 * Whether the owner of this host is at it, GPU by GPU: by foreign use of the GPU, by activity in a session, and by games.
 * A sign counts at once. The GPU is back on the market only after a while without one, in which every source was heard.
 */

/** Where signs come from: foreign use of the GPU, activity in a session of this host, a game that GameMode reports. */
export const SIGN_SOURCES = ['gpu', 'activity', 'game'] as const;
export type SignSource = (typeof SIGN_SOURCES)[number];

/** What a source says now. One that does not exist on this host says nothing at all. */
export type Sign = {
  readonly source: SignSource;
  /** `unknown`: it was asked and did not answer, which is no sign that nobody is here. */
  readonly state: 'seen' | 'quiet' | 'unknown';
  /** One clause, such as `vkquake (process 812) uses it`; why it is unknown. */
  readonly what: string;
};

/** What becomes of a GPU when its owner is here. */
export const PRESENCE_ACTIONS = ['pause', 'reclaim', 'ignore'] as const;
export type PresenceAction = (typeof PRESENCE_ACTIONS)[number];

/** What the owner wants for one GPU. */
export type PresencePolicy = { readonly whenActive: PresenceAction; readonly whenGaming: PresenceAction };

/** So long without a sign, and the owner counts as gone, in milliseconds. */
export const AWAY_AFTER_MS = 300_000;
/** So long after the start of the host its owner counts as here, in milliseconds. */
export const BOOT_MS = 900_000;
/** A source that does not answer for longer leaves it unknown whether the owner is here, in milliseconds. */
export const UNKNOWN_AFTER_MS = 10_000;
/** Time between two rounds counts up to this: in between the host may have slept, in milliseconds. */
const MAX_STEP_MS = 10_000;

/** Whether the owner is here, for one GPU, as of the last round. */
export type Presence = {
  readonly state: 'away' | 'here' | 'unknown';
  /** Why it is here or unknown, in one clause. */
  readonly why: string;
  /** When it will be `away` if nothing is seen until then, by the monotonic clock; undefined: not yet known. */
  readonly awayAt: number | undefined;
  /** How long no source has seen anything, and all were heard. */
  readonly quietMs: number;
  /** How long some source has not answered. */
  readonly unknownMs: number;
  /** When this round was, by the monotonic clock. */
  readonly at: number;
};

/** What the owner is taken for before the first round. */
const UNSEEN: Presence = {
  state: 'unknown',
  why: 'nothing was read yet',
  awayAt: undefined,
  quietMs: AWAY_AFTER_MS,
  unknownMs: UNKNOWN_AFTER_MS,
  at: Number.NEGATIVE_INFINITY,
};

/** When a round was by the monotonic clock, and how long the host was up then; both in milliseconds. */
export type RoundTime = { readonly now: number; readonly uptimeMs: number };

/** Whether the owner is here after another round of all sources that exist. Pure. */
export function nextPresence(
  before: Presence = UNSEEN,
  signs: readonly Sign[],
  { now, uptimeMs }: RoundTime,
): Presence {
  const stepMs = Math.min(Math.max(now - before.at, 0), MAX_STEP_MS);
  const seen = signs.find(({ state }) => state === 'seen');
  const unknown = signs.find(({ state }) => state === 'unknown');
  const unknownMs = unknown === undefined ? 0 : before.unknownMs + stepMs;
  if (seen !== undefined)
    return { state: 'here', why: seen.what, awayAt: undefined, quietMs: 0, unknownMs, at: now };
  // While a source does not answer, the time in which nobody was seen stands still.
  const quietMs = unknown === undefined ? before.quietMs + stepMs : before.quietMs;
  const bootMs = signs.length > 0 ? Math.max(BOOT_MS - uptimeMs, 0) : 0;
  const leftMs = Math.max(AWAY_AFTER_MS - quietMs, bootMs);
  const common = { quietMs, unknownMs, at: now, awayAt: unknown === undefined ? now + leftMs : undefined };
  if (leftMs > 0) {
    const isBoot = quietMs >= AWAY_AFTER_MS;
    const why = isBoot ? 'this host has just started' : before.why;
    return { ...common, state: 'here', why };
  }
  if (unknown === undefined || (before.state === 'away' && unknownMs < UNKNOWN_AFTER_MS))
    return { ...common, state: 'away', why: 'no sign of anybody' };
  return { ...common, state: 'unknown', why: `whether its owner is here is unknown: ${unknown.what}` };
}

/** What the owner wants for a sign; `ignore`: the source is not read. Pure. */
export function actionFor(source: SignSource, { whenActive, whenGaming }: PresencePolicy): PresenceAction {
  return source === 'game' ? whenGaming : whenActive;
}

/** Whether any source matters for a GPU. Pure. */
export function yields({ whenActive, whenGaming }: PresencePolicy): boolean {
  return whenActive !== 'ignore' || whenGaming !== 'ignore';
}

/** The sign for which a GPU's jobs are to be ended now; undefined: for none. Pure. */
export function reclaimFor(signs: readonly Sign[], policy: PresencePolicy): Sign | undefined {
  return signs.find(({ source, state }) => state === 'seen' && actionFor(source, policy) === 'reclaim');
}
