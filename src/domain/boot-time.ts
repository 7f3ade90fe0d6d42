/**
 * A time that does not change when the host's clock is set: the kernel's boot id and the milliseconds since that boot,
 * suspend included. An empty `boot` means unknown.
 */
export type BootTime = { readonly boot: string; readonly upMs: number };

/** Whether the host was restarted between two times; false if either is unknown. */
export function rebooted(from: BootTime, to: BootTime): boolean {
  return from.boot !== '' && to.boot !== '' && from.boot !== to.boot;
}

/** The milliseconds between two times of one boot; undefined for different or unknown boots. */
export function elapsedMs(from: BootTime, to: BootTime): number | undefined {
  if (from.boot === '' || from.boot !== to.boot) return undefined;
  return Math.max(to.upMs - from.upMs, 0);
}

/**
 * The time `agoMs` before `now` if that is after `earliest` in the same boot, else `earliest`. For an age measured by a
 * clock that may have been set.
 */
export function bootTimeAgo(now: BootTime, agoMs: number, earliest: BootTime): BootTime {
  const maxMs = elapsedMs(earliest, now);
  if (maxMs === undefined || agoMs < 0 || agoMs > maxMs) return earliest;
  return { boot: now.boot, upMs: now.upMs - agoMs };
}
