/** A day of this host's time zone as `2026-11-27`. */
export type LocalDay = string;

/** The day that an instant is in. */
export function localDayOf(at: number): LocalDay {
  const date = new Date(at);
  const [month, day] = [date.getMonth() + 1, date.getDate()].map((part) => String(part).padStart(2, '0'));
  return `${String(date.getFullYear()).padStart(4, '0')}-${month}-${day}`;
}

/** When a day begins, in milliseconds of the wall clock: at midnight, or where the clocks skip that, right after. */
export function startOfDay(day: LocalDay): number {
  const [year = 1970, month = 1, date = 1] = day.split('-').map(Number);
  return new Date(year, month - 1, date).getTime();
}

/** The day so many days before that of an instant: a day has 23 to 25 hours. */
export function daysBefore(at: number, days: number): LocalDay {
  const date = new Date(at);
  // Noon is never skipped.
  return localDayOf(new Date(date.getFullYear(), date.getMonth(), date.getDate() - days, 12).getTime());
}
