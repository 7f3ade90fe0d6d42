import { BadValue, quoted, single, type ValueType } from './value-type.ts';

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const MAX_DOLLARS = 1000;

/** A whole number from `min` to `max`. */
export function count(min: number, max: number): ValueType<number> {
  const hint = `write a whole number from ${min} to ${max}`;
  return single({
    metavar: 'N',
    parse: (text) => {
      if (!/^[+-]?\d+$/.test(text)) throw new BadValue(`${quoted(text)} is not a whole number`, hint);
      return within(Number(text), text, min, max, hint);
    },
  });
}

/** A TCP port. */
export const tcpPort: ValueType<number> = { ...count(1, 65_535), metavar: 'PORT' };

/** A number of CPU cores, which may be fractional. */
export const cpuCores: ValueType<number> = single({
  metavar: 'CORES',
  parse: (text) => {
    const hint = 'write a number of cores from 0.01 to 1024, such as 2 or 1.5';
    return within(decimal(text, hint), text, 0.01, 1024, hint);
  },
});

/** A number from `min` to `max`. */
export function factor(min: number, max: number): ValueType<number> {
  const hint = `write a number from ${min} to ${max}, such as 1.5`;
  return single({
    metavar: 'FACTOR',
    parse: (text) => within(decimal(text, hint), text, min, max, hint),
  });
}

/** US dollars per job and minute, above 0 and at most 1000, because more is probably a typing error. */
export const price: ValueType<number> = single({
  metavar: 'DOLLARS',
  parse: (text) => {
    const hint = `write US dollars per job and minute, more than 0 and at most ${MAX_DOLLARS}, such as 0.05`;
    const value = decimal(text, hint);
    if (value === 0) throw new BadValue(`${quoted(text)} would make jobs free of charge`, hint);
    if (value < 0) throw new BadValue(`${quoted(text)} is not more than 0`, hint);
    if (value > MAX_DOLLARS) throw new BadValue(`${quoted(text)} is more than ${MAX_DOLLARS}`, hint);
    return value;
  },
});

/** A decimal number with a point. Throws BadValue. */
export function decimal(text: string, hint: string): number {
  if (/^[+-]?\d*,\d+$/.test(text))
    throw new BadValue(
      `${quoted(text)} has a decimal comma`,
      `write it with a point: ${text.replace(',', '.')}`,
    );
  if (!DECIMAL.test(text)) throw new BadValue(`${quoted(text)} is not a number`, hint);
  return Number(text);
}

function within(value: number, text: string, min: number, max: number, hint: string): number {
  if (value < min) throw new BadValue(`${quoted(text)} is less than ${min}`, hint);
  if (value > max) throw new BadValue(`${quoted(text)} is more than ${max}`, hint);
  return value;
}
