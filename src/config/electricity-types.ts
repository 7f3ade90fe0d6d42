import type { Window } from '../domain/schedule/window.ts';
import { MONTHS, WEEKDAYS, windowText } from '../domain/schedule/window.ts';
import { calibrated, type MeterReading, type WallPower } from '../pricing/power-cost.ts';
import { decimal } from './number-types.ts';
import { readDays, readHours, readMonths } from './schedule/window-types.ts';
import { BadValue, quoted, single, type ValueType } from './value-type.ts';

/** Prices of a kWh in the owner's currency: `otherwise`, and in windows of time, of which a later one wins. */
export type ElectricityPrices = {
  readonly otherwise: number;
  readonly rules: readonly { readonly window: Window; readonly price: number }[];
};

/** More would be a mistake. */
const MAX_RULES = 50;
/** Some currencies have prices in the thousands. */
const MAX_PRICE = 100_000;

const PRICE_HINT =
  'write a price per kWh, such as 0.30, and if others hold at times, "0.30; 22:00-06:00 0.18; sat-sun 0.2"';

/** What a kWh costs: at all times, or also in windows in the grammar of schedules. */
export const electricityPrices: ValueType<ElectricityPrices> = {
  metavar: 'PRICES',
  many: false,
  read: (written) => {
    const parts = written
      .flatMap((text) => text.split(';'))
      .map((part) => part.trim())
      .filter((part) => part !== '');
    const read = parts.map(readPart);
    const [plain, ...more] = read.filter(({ window }) => window === undefined);
    if (plain === undefined)
      throw new BadValue('has no price for the time outside of its windows', PRICE_HINT);
    if (more.length > 0) throw new BadValue('has two prices without a window', PRICE_HINT);
    const rules = read.flatMap(({ price, window }) => (window === undefined ? [] : [{ price, window }]));
    if (rules.length > MAX_RULES)
      throw new BadValue(
        `has ${rules.length} windows, and ${MAX_RULES} are the most`,
        'put days or hours of one price into one window',
      );
    return { otherwise: plain.price, rules };
  },
  show: ({ otherwise, rules }) =>
    [String(otherwise), ...rules.map(({ price, window }) => `${textOf(window)} ${price}`)].join('; '),
};

/** As it can be read again: every day where the window is not limited. */
function textOf(window: Window): string {
  const isAlways = window.days.size + window.months.size === WEEKDAYS.length + MONTHS.length;
  return isAlways && window.hours.length === 0 ? 'mon-sun' : windowText(window);
}

function readPart(part: string): { readonly window: Window | undefined; readonly price: number } {
  const [text = '', ...before] = part.split(/\s+/).toReversed();
  // `sat, sun` and `22:00 - 06:00` are one word each.
  const window = before
    .toReversed()
    .join(' ')
    .replaceAll(/\s*([,-])\s*/g, '$1');
  const words = window.split(' ').filter((word) => word !== '');
  const price = decimal(text, PRICE_HINT);
  if (price < 0 || price > MAX_PRICE)
    throw new BadValue(`${quoted(text)} is not from 0 to ${MAX_PRICE}`, PRICE_HINT);
  return { price, window: words.length === 0 ? undefined : readWindow(words, part) };
}

/** `mon-fri 22:00-06:00 oct-mar`, in any order; what is not named is not limited. */
function readWindow(words: readonly string[], part: string): Window {
  const kinds = Map.groupBy(words, kindOf);
  for (const [kind, of] of kinds)
    if (of.length > 1) throw new BadValue(`${quoted(part)} names ${kind} twice`, PRICE_HINT);
  const [days, hours, months] = (['days', 'hours', 'months'] as const).map((kind) => kinds.get(kind));
  return {
    days: days === undefined ? new Set(WEEKDAYS.keys()) : readDays(days),
    hours: hours === undefined ? [] : readHours(hours),
    months: months === undefined ? new Set(MONTHS.keys()) : readMonths(months),
  };
}

function kindOf(word: string): 'days' | 'hours' | 'months' {
  if (/^\d/.test(word)) return 'hours';
  const start = word.slice(0, 3).toLowerCase();
  return MONTHS.some((month) => month.startsWith(start)) ? 'months' : 'days';
}

/** A currency by its code. */
export const currency: ValueType<string> = single({
  metavar: 'CODE',
  parse: (text) => {
    const code = text.toUpperCase();
    if (!/^[A-Z]{3}$/.test(code))
      throw new BadValue(`${quoted(text)} is not the code of a currency`, 'write three letters, such as EUR');
    return code;
  },
});

/** How many US dollars one unit of a currency is. */
export const currencyRate: ValueType<number> = single({
  metavar: 'DOLLARS',
  parse: (text) => {
    const hint = 'write how many US dollars one unit of the currency is, such as 1.08';
    const rate = decimal(text, hint);
    if (rate > 0 && rate <= 10_000) return rate;
    throw new BadValue(`${quoted(text)} is not more than 0 and at most 10000`, hint);
  },
});

/** US dollars that an hour of work costs beside power. */
export const wear: ValueType<number> = single({
  metavar: 'DOLLARS',
  parse: (text) => {
    const hint = 'write US dollars for an hour of work, from 0 to 100, such as 0.02';
    const dollars = decimal(text, hint);
    if (dollars >= 0 && dollars <= 100) return dollars;
    throw new BadValue(`${quoted(text)} is not from 0 to 100`, hint);
  },
});

/** The part of earnings that the broker keeps: `5%` or `0.05`. */
export const fee: ValueType<number> = single({
  metavar: 'PERCENT',
  parse: (text) => {
    const hint = 'write a part of the earnings from 0% to 90%, such as 5%';
    const [, number = text, percent] = /^(.*?)\s*(%)?$/.exec(text) ?? [];
    const part = decimal(number, hint) / (percent === undefined ? 1 : 100);
    if (part >= 0 && part <= 0.9) return part;
    throw new BadValue(`${quoted(text)} is not from 0% to 90%`, hint);
  },
  show: (part) => `${Number((part * 100).toFixed(6))}%`,
});

/** Two readings of a meter at the wall, and what they say of the power supply. */
export type Calibration = {
  readonly readings: readonly [MeterReading, MeterReading];
  readonly wall: WallPower;
};

const CALIBRATION_HINT =
  'write the watts of the meter and those of all GPUs by nvidia-smi, idle and at work, such as "95 at 12, 480 at 330"';

/** `WALL at GPU, WALL at GPU` in watts: idle and at work, in any order. */
export const calibration: ValueType<Calibration> = {
  metavar: 'READINGS',
  many: true,
  read: (written) => {
    const parts = written.flatMap((text) => text.split(',')).map((part) => part.trim());
    const [first, second, ...more] = parts.filter((part) => part !== '').map(readReading);
    if (first === undefined || second === undefined || more.length > 0)
      throw new BadValue('has not exactly two readings', CALIBRATION_HINT);
    const readings = first.gpuW <= second.gpuW ? ([first, second] as const) : ([second, first] as const);
    const wall = calibrated(...readings);
    if (wall === undefined)
      throw new BadValue(
        'cannot be right: a watt of the GPU is 1 to 2 watts at the wall, and the readings must be 20 W apart',
        CALIBRATION_HINT,
      );
    return { readings, wall };
  },
  show: ({ readings }) => readings.map(({ gpuW, wallW }) => `${wallW} at ${gpuW}`).join(', '),
};

function readReading(part: string): MeterReading {
  const [, wall = '', gpu = ''] = /^([\d.]+)\s*W?\s+at\s+([\d.]+)\s*W?$/i.exec(part) ?? [];
  if (wall === '' || gpu === '') throw new BadValue(`${quoted(part)} is not a reading`, CALIBRATION_HINT);
  return { wallW: decimal(wall, CALIBRATION_HINT), gpuW: decimal(gpu, CALIBRATION_HINT) };
}
