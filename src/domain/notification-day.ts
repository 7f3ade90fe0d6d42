import { DAY_MS, type Zone } from './schedule/zone.ts';

/** The last daily summary: of which day of the owner’s calendar, and when, by the wall clock. */
export type LastSummary = { readonly day: number; readonly at: number };

/** The state of an owner who has just asked for summaries: the first one covers the time from now on. */
export function firstSummary(zone: Zone, minute: number, now: number): LastSummary {
  const { day, minute: shown } = wall(zone, now);
  return { day: shown >= minute ? day : day - 1, at: now };
}

/**
 * The summary that is due: once a day, when the clock on the wall first shows this minute of the day or a later one.
 * Where the clock jumps over the minute, that is right after; where it shows it twice, the first time counts.
 */
export function dueSummary(
  zone: Zone,
  minute: number,
  last: LastSummary,
  now: number,
): LastSummary | undefined {
  const { day, minute: shown } = wall(zone, now);
  return shown >= minute && day > last.day ? { day, at: now } : undefined;
}

/** Whether the last summary is of a clock that was ahead, so that none would come for days. */
export function isFromTheFuture(zone: Zone, last: LastSummary, now: number): boolean {
  return last.day > wall(zone, now).day + 1 || last.at > now + DAY_MS;
}

function wall(zone: Zone, now: number): { readonly day: number; readonly minute: number } {
  const local = zone.localMs(now);
  const day = Math.floor(local / DAY_MS);
  return { day, minute: Math.floor((local - day * DAY_MS) / 60_000) };
}
