const SHAPE = /^(\d{2})-(\d{2})-(\d{4}) (\d{2}):(\d{2}):(\d{2})$/;

/**
 * Reads a time as the broker writes it, `DD-MM-YYYY HH:MM:SS` without a zone, as milliseconds since the epoch
 * as if it were UTC. Undefined where it is no such time, or no day of the calendar.
 */
export function parseBrokerTime(text: string): number | undefined {
  const found = SHAPE.exec(text);
  if (found === null) return undefined;
  const [day, month, year, hour, minute, second] = found.slice(1).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year ?? 0, (month ?? 0) - 1, day);
  date.setUTCHours(hour ?? 0, minute, second);
  // A 31st of February would have become a day in March: such a time is none.
  const kept = date.getUTCDate() === day && date.getUTCMonth() + 1 === month && date.getUTCHours() === hour;
  return kept && (minute ?? 60) < 60 && (second ?? 60) < 60 ? date.getTime() : undefined;
}
