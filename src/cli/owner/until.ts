import { AgentError } from '../../domain/errors.ts';

const TIME = /^(\d{1,2}):(\d{2})$/;
const DAY_AND_TIME = /^(\d{4})-(\d{2})-(\d{2})[T ](\d{1,2}):(\d{2})$/;
const HINT = 'write --until 22:00 for the next time that the clock shows it, or --until 2026-12-24T18:00';

/**
 * The instant that `--until` means, in milliseconds of the wall clock: `22:00` is the next time that this host's clock shows
 * it, `2026-12-24T18:00` that day. Throws TIME_INVALID for a time that is in the past, that is no time, or that the clocks
 * skip when they are set forward.
 */
export function untilInstant(text: string, now: number): number {
  const time = TIME.exec(text.trim());
  if (time !== null) {
    const today = new Date(now);
    const at = (day: number): number =>
      instant(text, [today.getFullYear(), today.getMonth(), today.getDate() + day, ...numbers(time)]);
    return isLater(today, time) ? at(0) : at(1);
  }
  const dated = DAY_AND_TIME.exec(text.trim());
  if (dated === null)
    throw new AgentError('TIME_INVALID', `${JSON.stringify(text)} is not a time`, { hint: HINT });
  const [year = 0, month = 0, ...rest] = numbers(dated);
  const at = instant(text, [year, month - 1, ...rest]);
  if (at <= now) throw new AgentError('TIME_INVALID', `${text} is in the past`, { hint: HINT });
  return at;
}

function numbers(found: RegExpExecArray): number[] {
  return found.slice(1).map(Number);
}

function isLater(today: Date, time: RegExpExecArray): boolean {
  const [hours = 0, minutes = 0] = numbers(time);
  return hours * 60 + minutes > today.getHours() * 60 + today.getMinutes();
}

/** Throws TIME_INVALID where the clock never shows it. */
function instant(text: string, parts: readonly number[]): number {
  const [year = 0, month = 0, day = 0, hours = 0, minutes = 0] = parts;
  const date = new Date(year, month, day, hours, minutes);
  const isShown = date.getHours() === hours && date.getMinutes() === minutes;
  const isThatDay = day === date.getDate() || day > 28;
  if (isShown && isThatDay) return date.getTime();
  const why =
    hours > 23 || minutes > 59 || !isThatDay
      ? 'is not a time'
      : 'does not exist: the clocks are set forward then';
  throw new AgentError('TIME_INVALID', `${text} ${why}`, { hint: HINT });
}
