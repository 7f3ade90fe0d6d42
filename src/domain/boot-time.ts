/**
 * A moment of this host that no setting of its clock moves: which boot it was in, and how long after that boot, in
 * milliseconds, sleep included. An empty `boot` means that it was not known.
 */
export type BootTime = { readonly boot: string; readonly upMs: number };

/** Whether the host was restarted between two moments, as far as both are known. */
export function rebooted(from: BootTime, to: BootTime): boolean {
  return from.boot !== '' && to.boot !== '' && from.boot !== to.boot;
}

/** The milliseconds between two moments of one boot; undefined where that cannot be said. */
export function elapsedMs(from: BootTime, to: BootTime): number | undefined {
  if (from.boot === '' || from.boot !== to.boot) return undefined;
  return Math.max(to.upMs - from.upMs, 0);
}

/**
 * The moment `agoMs` before `now`, where that is after `earliest` in the same boot; else `earliest`, which is certain.
 * For what another clock tells, which may have been set.
 */
export function bootTimeAgo(now: BootTime, agoMs: number, earliest: BootTime): BootTime {
  const maxMs = elapsedMs(earliest, now);
  if (maxMs === undefined || agoMs < 0 || agoMs > maxMs) return earliest;
  return { boot: now.boot, upMs: now.upMs - agoMs };
}
