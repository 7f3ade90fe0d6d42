import { DAY } from './time-units.ts';

/* Labels of the axes of plots, in the owner's locale. */

/** `locales` as in the browser's `navigator.languages`; `timeZone` undefined: the one of this machine. */
export function axisFormatsOf(locales: readonly string[], timeZone?: string) {
  const date = (options: Intl.DateTimeFormatOptions, zone = timeZone): Intl.DateTimeFormat =>
    new Intl.DateTimeFormat([...locales], zone === undefined ? options : { ...options, timeZone: zone });
  const clock = date({ hour: '2-digit', minute: '2-digit' });
  const day = date({ day: 'numeric', month: 'short' });
  const month = date({ month: 'short', year: '2-digit' });
  const moment = date({
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  });
  // A date is no instant: it is written as it is.
  const dateOnly = date({ day: 'numeric', month: 'short' }, 'UTC');
  const fullDate = date({ weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' }, 'UTC');
  const dollars = new Intl.NumberFormat([...locales], {
    style: 'currency',
    currency: 'USD',
    currencyDisplay: 'narrowSymbol',
    minimumFractionDigits: 0,
    maximumSignificantDigits: 3,
  });
  // On a day whose clocks are put forward at midnight, it begins at 1:00.
  const isMidnight = (at: number): boolean => day.format(at) !== day.format(at - 1);
  const number = new Intl.NumberFormat([...locales], { maximumFractionDigits: 1 });
  return {
    /** The time zone of times, such as `Europe/Berlin`. */
    timeZone: clock.resolvedOptions().timeZone,
    /** Of a tick in milliseconds, by how far ticks are apart. */
    tick: (at: number, stepMs: number): string =>
      (stepMs >= 27 * DAY ? month : stepMs >= DAY || isMidnight(at) ? day : clock).format(at),
    /** A time with its day, in milliseconds. */
    moment: (at: number): string => moment.format(at),
    /** Of a date such as `2026-11-27`. */
    dateTick: (date: string): string => dateOnly.format(new Date(`${date}T00:00Z`)),
    date: (date: string): string => fullDate.format(new Date(`${date}T00:00Z`)),
    number: (value: number): string => number.format(value),
    dollars: (value: number): string => dollars.format(value),
  };
}
