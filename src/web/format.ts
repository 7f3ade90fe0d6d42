import { DAY, HOUR, MINUTE, SECOND } from './time-units.ts';

/* What people read: figures, money, times and durations in the owner's locale. */

/** In place of a figure that is not known. */
export const UNKNOWN = '–';

/** Writes what people read. All functions are pure but for the locale and time zone. */
export type Formats = ReturnType<typeof formatsOf>;

/** `locales` as in the browser's `navigator.languages`; `timeZone` undefined: the one of this machine. */
export function formatsOf(locales: readonly string[], timeZone?: string) {
  const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat([...locales], options);
  const date = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat([...locales], timeZone === undefined ? options : { ...options, timeZone });
  const dollars = (digits: number, most = digits) =>
    number({
      style: 'currency',
      currency: 'USD',
      currencyDisplay: 'narrowSymbol',
      minimumFractionDigits: digits,
      maximumFractionDigits: most,
    });
  const unit = (name: string) => number({ style: 'unit', unit: name, unitDisplay: 'short' });
  const cents = dollars(2);
  const small = dollars(4);
  const exact = dollars(2, 6);
  const whole = number({ maximumFractionDigits: 0 });
  const tenths = number({ minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const thousandths = number({ minimumFractionDigits: 3, maximumFractionDigits: 3 });
  const percents = number({ style: 'percent', maximumFractionDigits: 0 });
  const celsius = number({ style: 'unit', unit: 'celsius', unitDisplay: 'short', maximumFractionDigits: 0 });
  const units = { d: unit('day'), h: unit('hour'), m: unit('minute'), s: unit('second') };
  const clock = date({ hour: '2-digit', minute: '2-digit' });
  const seconds = date({ hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const dayAndClock = date({
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
  const full = date({ dateStyle: 'medium', timeStyle: 'medium' });
  const day = date({ day: 'numeric', month: 'short', year: 'numeric' });
  const dayKey = new Intl.DateTimeFormat('en-CA', timeZone === undefined ? {} : { timeZone });

  /** Two units at most: `45 sec`, `14 min`, `2 hr 14 min`, `3 days 4 hr`. */
  const duration = (ms: number | null): string => {
    if (ms === null) return UNKNOWN;
    if (ms < MINUTE) return units.s.format(Math.floor(Math.max(ms, 0) / SECOND));
    if (ms < HOUR) return units.m.format(Math.floor(ms / MINUTE));
    if (ms < DAY) return two(ms, [HOUR, units.h], [MINUTE, units.m]);
    return two(ms, [DAY, units.d], [HOUR, units.h]);
  };

  /** A time with its day where that is not the day of `now`. Both are instants in ISO 8601. */
  const time = (at: string, now: string): string => {
    const [then, today] = [new Date(at), new Date(now)];
    return (dayKey.format(then) === dayKey.format(today) ? clock : dayAndClock).format(then);
  };

  return {
    duration,
    time,
    /** `14:03:22`. */
    second: (at: string): string => seconds.format(new Date(at)),
    /** Day and time to the second. */
    instant: (at: string): string => full.format(new Date(at)),
    /** `27 Nov 2026`. */
    day: (at: string): string => day.format(new Date(at)),
    /** `until 23:00, in 2 hr 14 min`. */
    until: (at: string, now: string): string =>
      `until ${time(at, now)}, in ${duration(Math.max(Date.parse(at) - Date.parse(now), 0))}`,
    /** US dollars that were earned: cents, and hundredths of them below ten cents. */
    money: (sum: number): string => (sum !== 0 && Math.abs(sum) < 0.1 ? small : cents).format(sum),
    /** A price in US dollars, not rounded above a millionth. */
    price: (sum: number): string => exact.format(sum),
    count: (value: number): string => whole.format(value),
    percent: (value: number | null): string => (value === null ? UNKNOWN : percents.format(value / 100)),
    celsius: (value: number | null): string => (value === null ? UNKNOWN : celsius.format(value)),
    watts: (value: number | null): string => (value === null ? UNKNOWN : `${whole.format(value)} W`),
    /** Of MiB: `8.1 GiB`, from ten on without tenths. */
    gib: (mib: number | null): string =>
      mib === null ? UNKNOWN : `${(mib < 10 * 1024 ? tenths : whole).format(mib / 1024)} GiB`,
    /** `0.042 kWh`, from one on with tenths. */
    kWh: (value: number): string => `${(value < 1 ? thousandths : tenths).format(value)} kWh`,
    bytes: (value: number | null): string => (value === null ? UNKNOWN : bytes(value, whole, tenths)),
  };
}

/** Decimal units, as Docker and disk makers use them. */
function bytes(value: number, whole: Intl.NumberFormat, tenths: Intl.NumberFormat): string {
  const names = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  const power = value < 1 ? 0 : Math.min(Math.floor(Math.log10(value) / 3), names.length - 1);
  const amount = value / 1000 ** power;
  return `${(power === 0 || amount >= 100 ? whole : tenths).format(amount)} ${names[power]}`;
}

type Unit = readonly [ms: number, format: Intl.NumberFormat];

function two(ms: number, [large, largeFormat]: Unit, [small, smallFormat]: Unit): string {
  const rest = Math.floor((ms % large) / small);
  const first = largeFormat.format(Math.floor(ms / large));
  return rest === 0 ? first : `${first} ${smallFormat.format(rest)}`;
}

/** `1 job`, `2 jobs`. Pure. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1)}`;
}

/**
 * A text of others, such as the name of a function, in which control characters and invisible formatting, which could reverse
 * what follows, are shown as `\u{1b}`. Pure.
 */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}
