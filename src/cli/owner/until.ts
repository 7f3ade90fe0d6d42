import { AgentError } from '../../domain/errors.ts';

const TIME = /^(\d{1,2}):(\d{2})$/;
const DAY_AND_TIME = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{1,2}):(\d{2})$/;
const HOUR_MS = 3_600_000;
const HINT = 'write --until 22:00 for the next time that the clock shows it, or --until 2026-12-24T18:00';

/**
 * The instant that `--until` means, in milliseconds of the wall clock: `22:00` is the next time that this host's clock shows
 * it, `2026-12-24T18:00` that day. Throws TIME_INVALID for a time that is in the past, that is no time, or that the clocks
 * skip when they are set forward.
 */
export function untilInstant(text: string, now: number): number {
  const time = TIME.exec(text.trim());
  if (time !== null) return nextTime(text, numbers(time), now);
  const dated = DAY_AND_TIME.exec(text.trim());
  if (dated === null)
    throw new AgentError('TIME_INVALID', `${JSON.stringify(text)} is not a time`, { hint: HINT });
  const [year = 0, month = 0, ...rest] = numbers(dated);
  const at = instant(text, [year, month - 1, ...rest], now);
  if (at <= now) throw new AgentError('TIME_INVALID', `${text} is in the past`, { hint: HINT });
  return at;
}

function numbers(found: RegExpExecArray): number[] {
  return found.slice(1).map(Number);
}

/** The next time that the clock shows these hours and minutes, today or tomorrow. */
function nextTime(text: string, time: readonly number[], now: number): number {
  const today = new Date(now);
  const [year, month, day] = [today.getFullYear(), today.getMonth(), today.getDate()];
  const [hours = 0, minutes = 0] = time;
  const isOver = hours * 60 + minutes <= today.getHours() * 60 + today.getMinutes();
  const atToday = isOver ? undefined : instant(text, [year, month, day, ...time], now);
  if (atToday !== undefined && atToday > now) return atToday;
  // Noon, which no clock skips, finds the day.
  const tomorrow = new Date(year, month, day + 1, 12);
  return instant(text, [tomorrow.getFullYear(), tomorrow.getMonth(), tomorrow.getDate(), ...time], now);
}

/** Of two instants that the clock shows alike, when it is set back, the first after now. Throws TIME_INVALID for none. */
function instant(text: string, parts: readonly number[], now: number): number {
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0] = parts;
  const date = new Date(year, month, day, hours, minutes);
  if (isShown(date, parts)) {
    const again = new Date(date.getTime() + HOUR_MS);
    return date.getTime() <= now && isShown(again, parts) ? again.getTime() : date.getTime();
  }
  const isThatDay = new Date(year, month, day, 12).getDate() === day;
  const why =
    hours > 23 || minutes > 59 || !isThatDay
      ? 'is not a time'
      : 'does not exist: the clocks are set forward then';
  throw new AgentError('TIME_INVALID', `${text} ${why}`, { hint: HINT });
}

function isShown(date: Date, [, month, day, hours, minutes]: readonly number[]): boolean {
  return (
    date.getMonth() === month &&
    date.getDate() === day &&
    date.getHours() === hours &&
    date.getMinutes() === minutes
  );
}
