import type { AvailabilityRule } from '../../../../src/domain/schedule/availability.ts';

const MINUTE = 60_000;

/** What a wall shows at one minute, read from the platform's calendar and nothing else. */
export type ModelMinute = {
  readonly at: number;
  readonly minute: number;
  readonly weekday: number;
  readonly month: number;
  /** The date before today's that this zone had. */
  readonly previous: { readonly weekday: number; readonly month: number } | undefined;
};

const NAMES = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'];

/** Every minute from `from` on: slow, simple and without arithmetic on offsets. The first day has no previous one. */
export function modelMinutes(zone: string, from: number, days: number): readonly ModelMinute[] {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
  });
  const dates = new Map<string, { weekday: number; month: number }>();
  const minutes: (ModelMinute & { readonly date: string })[] = [];
  for (let at = from; at < from + days * 1440 * MINUTE; at += MINUTE) {
    const parts = Object.fromEntries(format.formatToParts(at).map(({ type, value }) => [type, value]));
    const date = [parts['year'], parts['month']?.padStart(2, '0'), parts['day']?.padStart(2, '0')].join('-');
    const day = { weekday: NAMES.indexOf(parts['weekday'] ?? ''), month: Number(parts['month']) - 1 };
    dates.set(date, day);
    const minute = Number(parts['hour']) * 60 + Number(parts['minute']);
    minutes.push({ at, minute, ...day, previous: undefined, date });
  }
  const sorted = [...dates.keys()].sort();
  const before = new Map(sorted.map((date, at) => [date, dates.get(sorted[at - 1] ?? '')]));
  return minutes.map(({ date, ...minute }) => ({ ...minute, previous: before.get(date) }));
}

/** Whether jobs are taken, by the words of the documents: a later rule wins, what is after midnight belongs to the day before. */
export function modelAvailable(rules: readonly AvailabilityRule[], now: ModelMinute): boolean {
  const last = rules.filter((rule) => isInWindow(rule, now)).at(-1);
  return last?.available ?? rules[0]?.available !== true;
}

function isInWindow({ window: { days, hours, months } }: AvailabilityRule, now: ModelMinute): boolean {
  const on = (day: { weekday: number; month: number } | undefined): boolean =>
    day !== undefined && days.has(day.weekday) && months.has(day.month);
  if (hours.length === 0) return on(now);
  return hours.some(({ from, to }) => {
    const isNight = to <= from;
    if (on(now) && now.minute >= from && (isNight || now.minute < to)) return true;
    return isNight && on(now.previous) && now.minute < to;
  });
}
