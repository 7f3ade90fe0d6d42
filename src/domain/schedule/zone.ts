/** A day of the UTC and of any zone's calendar, in milliseconds. */
export const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;

/** How many days of offsets are remembered. A search for the next change looks at a year. */
const MAX_REMEMBERED = 1_024;

/** A day of a calendar: `weekday` from 0 (Monday) to 6, `month` from 0 (January) to 11. */
export type CalendarDay = { readonly weekday: number; readonly month: number };

/** What the clock and the calendar on the wall show. */
export type WallTime = {
  /** Of the day, from 0 to 1439. */
  readonly minute: number;
  readonly today: CalendarDay;
  /** The day before, which is not always yesterday's number: Samoa had no 30 December 2011. */
  readonly previous: CalendarDay;
};

/** A time with one offset from UTC, up to `until` (not included). All in milliseconds. */
export type Stretch = { readonly offset: number; readonly until: number };

/** The offsets of one UTC day: `before`, and `after` from `at` on. */
type OffsetDay = { readonly before: number; readonly at: number; readonly after: number };

/**
 * A time zone by its IANA name. Instants are milliseconds since the epoch. Offsets come from Intl.DateTimeFormat, since
 * Node.js 24 has no Temporal, and are remembered because that takes a microsecond or two.
 */
export class Zone {
  readonly name: string;
  readonly #format: Intl.DateTimeFormat;
  readonly #days = new Map<number, OffsetDay>();

  /** Throws RangeError for a name that is not a time zone. */
  constructor(name: string) {
    this.name = name;
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** The time in this zone as if it were UTC: for dates and times of the wall, never for comparing instants. */
  localMs(instant: number): number {
    return instant + this.stretchAt(instant).offset;
  }

  /** The offset at an instant, and until when it surely lasts: at most to the end of the UTC day. */
  stretchAt(instant: number): Stretch {
    const number = Math.floor(instant / DAY_MS);
    const day = this.#days.get(number) ?? this.#remember(number);
    return instant < day.at
      ? { offset: day.before, until: day.at }
      : { offset: day.after, until: (number + 1) * DAY_MS };
  }

  wallTimeAt(instant: number): WallTime {
    const local = this.localMs(instant);
    const day = Math.floor(local / DAY_MS);
    const sinceMidnight = local - day * DAY_MS;
    // In the night when the clock goes back, that is still today.
    const beforeMidnight = Math.floor(this.localMs(instant - sinceMidnight - 1) / DAY_MS);
    return {
      minute: Math.floor(sinceMidnight / MINUTE_MS),
      today: calendarDay(day),
      previous: calendarDay(Math.min(day - 1, beforeMidnight)),
    };
  }

  #remember(number: number): OffsetDay {
    if (this.#days.size >= MAX_REMEMBERED) this.#days.clear();
    const [start, end] = [number * DAY_MS, (number + 1) * DAY_MS];
    const [before, after] = [this.#offset(start), this.#offset(end)];
    const day = { before, at: before === after ? end : this.#changeBetween(start, end, before), after };
    this.#days.set(number, day);
    return day;
  }

  /** The first second at which the offset is no longer `before`. No zone changes it twice in a day. */
  #changeBetween(start: number, end: number, before: number): number {
    let [low, high] = [start / 1000, end / 1000];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.#offset(middle * 1000) === before) low = middle;
      else high = middle;
    }
    return high * 1000;
  }

  /** Of an instant of whole seconds. */
  #offset(instant: number): number {
    const shown = this.#format.format(instant).match(/\d+/g) ?? [];
    const [month = 1, day = 1, year = 1970, hour = 0, minute = 0, second = 0] = shown.map(Number);
    return Date.UTC(year, month - 1, day, hour, minute, second) - instant;
  }
}

/** Of the number of days since 1 January 1970, a Thursday. */
function calendarDay(number: number): CalendarDay {
  return { weekday: (((number + 3) % 7) + 7) % 7, month: new Date(number * DAY_MS).getUTCMonth() };
}
