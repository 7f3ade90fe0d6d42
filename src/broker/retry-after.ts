/** A broker that asks for a longer wait is asked again after this one, in milliseconds. */
const MOST_MS = 15 * 60_000;

/** How much of that is believed, in milliseconds, where it can only be told by our own clock. */
const MOST_BY_OUR_CLOCK_MS = 5 * 60_000;

/**
 * Reads `Retry-After` (seconds, or an HTTP date) as milliseconds to wait, at most a quarter of an hour. A date counts
 * from that of the answer, its `Date` header: clocks differ. Without one the wall clock `now`, in milliseconds, has to
 * do. Undefined where it is missing or makes no sense.
 */
export function retryAfterMs(
  value: string | undefined,
  date: string | undefined,
  now: number,
): number | undefined {
  const text = value?.trim();
  if (text === undefined || text === '') return undefined;
  const waitMs = /^\d+(?:\.\d+)?$/.test(text) ? Number(text) * 1000 : until(httpDate(text), date, now);
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(Math.round(waitMs), 0), MOST_MS);
}

function until(at: number, date: string | undefined, now: number): number {
  const answered = httpDate(date ?? '');
  return Number.isNaN(answered) ? Math.min(at - now, MOST_BY_OUR_CLOCK_MS) : at - answered;
}

/** Only dates with a time and a zone: `Date.parse` alone takes `-5` for a month of 2001. */
function httpDate(text: string): number {
  return /^[a-z]{3,9},? .*\d\d:\d\d:\d\d/i.test(text) ? Date.parse(text) : Number.NaN;
}
