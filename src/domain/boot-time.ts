/**
 * A moment of this host that no setting of its clock moves: which boot it was in, and how long after that boot, in
 * milliseconds, sleep included. An empty `boot` means that it was not known.
 */
export type Moment = { readonly boot: string; readonly upMs: number };

/** Whether the host was restarted between two moments, as far as both are known. */
export function rebooted(from: Moment, to: Moment): boolean {
  return from.boot !== '' && to.boot !== '' && from.boot !== to.boot;
}

/** The milliseconds between two moments of one boot; undefined where that cannot be said. */
export function elapsedMs(from: Moment, to: Moment): number | undefined {
  if (from.boot === '' || from.boot !== to.boot) return undefined;
  return Math.max(to.upMs - from.upMs, 0);
}

/**
 * The moment `agoMs` before `now`, where that is after `earliest` in the same boot; else `earliest`, which is certain.
 * For what another clock tells, which may have been set.
 */
export function momentAgo(now: Moment, agoMs: number, earliest: Moment): Moment {
  const mostMs = elapsedMs(earliest, now);
  if (mostMs === undefined || agoMs < 0 || agoMs > mostMs) return earliest;
  return { boot: now.boot, upMs: now.upMs - agoMs };
}
