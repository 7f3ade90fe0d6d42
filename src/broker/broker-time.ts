const SHAPE = /^(\d{2})-(\d{2})-(\d{4}) (\d{2}):(\d{2}):(\d{2})$/;

/**
 * Parses the broker's time, `DD-MM-YYYY HH:MM:SS` without a zone, as UTC milliseconds since the epoch. Undefined: not such a
 * time, or not a day of the calendar.
 */
export function parseBrokerTime(text: string): number | undefined {
  const found = SHAPE.exec(text);
  if (found === null) return undefined;
  const [day, month, year, hour, minute, second] = found.slice(1).map(Number);
  const date = new Date(0);
  date.setUTCFullYear(year ?? 0, (month ?? 0) - 1, day);
  date.setUTCHours(hour ?? 0, minute, second);
  // Date turns the 31st of February into a day in March.
  const isValid =
    date.getUTCDate() === day && date.getUTCMonth() + 1 === month && date.getUTCHours() === hour;
  return isValid && (minute ?? 60) < 60 && (second ?? 60) < 60 ? date.getTime() : undefined;
}
