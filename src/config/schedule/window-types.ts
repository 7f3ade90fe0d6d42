import { DAY_MINUTES, type HourRange, MONTHS, WEEKDAYS } from '../../domain/schedule/window.ts';
import { didYouMean } from '../../lib/nearest.ts';
import { BadValue, quoted } from '../value-type.ts';

/*
 * The grammar of windows: the keys `days`, `hours` and `months` of a table in the file, whatever that table is about. Each
 * function takes the texts of a key, as one text with commas or as a list, and throws BadValue.
 */

/** The members of a list that come back in a circle, such as the days of a week. */
type Circle = {
  /** What one of them is, for messages. */
  readonly one: string;
  readonly names: readonly string[];
  /** Words for several of them. */
  readonly groups: Readonly<Record<string, string>>;
  readonly hint: string;
};

const DAYS: Circle = {
  one: 'day',
  names: WEEKDAYS,
  groups: { weekdays: 'mon-fri', weekend: 'sat-sun' },
  hint: 'write days such as "mon-fri", "sat,sun", "weekdays" or "weekend"',
};

const MONTHS_OF_YEAR: Circle = {
  one: 'month',
  names: MONTHS,
  groups: {},
  hint: 'write months such as "oct-mar" or "jun,jul"',
};

const HOURS_HINT = 'write hours from 00:00 to 24:00, such as "09:00-17:30" or, past midnight, "22:00-07:00"';

/** Days of the week, from 0 (Monday) to 6: `mon-fri`, `fri-mon`, `sat,sun`, `weekdays`, `weekend`. */
export function readDays(written: readonly string[]): ReadonlySet<number> {
  return readCircle(written, DAYS);
}

/** Months of the year, from 0 (January) to 11: `oct-mar`, `july`. */
export function readMonths(written: readonly string[]): ReadonlySet<number> {
  return readCircle(written, MONTHS_OF_YEAR);
}

/** Hours of the day: `22:00-07:00`, `9-12,13-17:30`. */
export function readHours(written: readonly string[]): readonly HourRange[] {
  return partsOf(written, 'hour', HOURS_HINT).map((part) => {
    const [from = '', to, ...more] = part.split('-');
    if (to === undefined || more.length > 0)
      throw new BadValue(`${quoted(part)} is not a range of hours`, HOURS_HINT);
    const [first, last] = [readClock(from), readClock(to)];
    if (first === DAY_MINUTES)
      throw new BadValue(`${quoted(part)} begins at the end of a day`, 'write 00:00 for its begin');
    if (first === last)
      throw new BadValue(
        `${quoted(part)} is empty`,
        'write 00:00-24:00, or leave hours out, for the whole day',
      );
    return { from: first, to: last === 0 ? DAY_MINUTES : last };
  });
}

function readCircle(written: readonly string[], circle: Circle): ReadonlySet<number> {
  const { groups, hint, names, one } = circle;
  const members = new Set<number>();
  for (const part of partsOf(written, one, hint)) {
    const [from = '', to = from, ...more] = (groups[part.toLowerCase()] ?? part).split('-');
    if (more.length > 0)
      throw new BadValue(`${quoted(part)} is not a range from one ${one} to another`, hint);
    const [first, last] = [placeOf(from, circle), placeOf(to, circle)];
    members.add(last);
    for (let at = first; at !== last; at = (at + 1) % names.length) members.add(at);
  }
  return members;
}

/** At least three letters of a name. */
function placeOf(text: string, { groups, hint, names, one }: Circle): number {
  const name = text.trim().toLowerCase();
  const place = name.length < 3 ? -1 : names.findIndex((known) => known.startsWith(name));
  if (place >= 0) return place;
  const known = [...names.flatMap((each) => [each, each.slice(0, 3)]), ...Object.keys(groups)];
  throw new BadValue(`${quoted(text.trim())} is not a ${one}${didYouMean(name, known)}`, hint);
}

/** A time of the day in minutes; 24:00 is its end. */
function readClock(text: string): number {
  const [, hour, minute = '00'] = /^(\d{1,2})(?::(\d{2}))?$/.exec(text.trim()) ?? [];
  const minutes = Number(hour) * 60 + Number(minute);
  if (hour === undefined || Number(minute) > 59 || minutes > DAY_MINUTES)
    throw new BadValue(`${quoted(text.trim())} is not a time of the day`, HOURS_HINT);
  return minutes;
}

function partsOf(written: readonly string[], one: string, hint: string): readonly string[] {
  const parts = written
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
  if (parts.length === 0) throw new BadValue(`has no ${one}`, hint);
  return parts;
}
