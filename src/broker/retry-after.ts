/** The longest wait that the agent accepts. */
const MAX_MS = 15 * 60_000;

/** The longest wait until a date that is only known by the local clock, which may differ from the broker's. */
const MAX_BY_LOCAL_CLOCK_MS = 5 * 60_000;

/**
 * Parses `Retry-After` (seconds or an HTTP date) as milliseconds, at most 15 minutes; undefined: missing or invalid. A date is
 * compared with the answer's `Date` header because clocks differ, or without one with the wall clock `now`.
 */
export function retryAfterMs(
  value: string | undefined,
  date: string | undefined,
  now: number,
): number | undefined {
  const text = value?.trim();
  if (text === undefined || text === '') return undefined;
  const waitMs = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : until(httpDate(text), date, now);
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(Math.round(waitMs), 0), MAX_MS);
}

function until(at: number, date: string | undefined, now: number): number {
  const answered = httpDate(date ?? '');
  return Number.isNaN(answered) ? Math.min(at - now, MAX_BY_LOCAL_CLOCK_MS) : at - answered;
}

/** Requires a time, because `Date.parse` alone reads `-5` as a month of 2001. */
function httpDate(text: string): number {
  return /^[a-z]{3,9},? .*\d\d:\d\d:\d\d/i.test(text) ? Date.parse(text) : Number.NaN;
}
