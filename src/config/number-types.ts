import { BadValue, quoted, single, type ValueType } from './value-type.ts';

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const MOST_DOLLARS = 1000;

/** A whole number from `least` to `most`. */
export function count(least: number, most: number): ValueType<number> {
  const hint = `write a whole number from ${least} to ${most}`;
  return single({
    metavar: 'N',
    parse: (text) => {
      if (!/^[+-]?\d+$/.test(text)) throw new BadValue(`${quoted(text)} is not a whole number`, hint);
      return within(Number(text), text, least, most, hint);
    },
  });
}

/** A number of CPU cores; parts of a core are allowed. */
export const cpuCores: ValueType<number> = single({
  metavar: 'CORES',
  parse: (text) => {
    const hint = 'write a number of cores from 0.01 to 1024, such as 2 or 1.5';
    return within(decimal(text, hint), text, 0.01, 1024, hint);
  },
});

/** US dollars per job and minute: more than nothing, at most 1000 (a slip of the decimal point is likelier). */
export const price: ValueType<number> = single({
  metavar: 'DOLLARS',
  parse: (text) => {
    const hint = `write US dollars per job and minute, more than 0 and at most ${MOST_DOLLARS}, such as 0.05`;
    const value = decimal(text, hint);
    if (value === 0) throw new BadValue(`${quoted(text)} would give the GPU away for nothing`, hint);
    if (value < 0) throw new BadValue(`${quoted(text)} is less than nothing`, hint);
    if (value > MOST_DOLLARS) throw new BadValue(`${quoted(text)} is more than ${MOST_DOLLARS}`, hint);
    return value;
  },
});

function decimal(text: string, hint: string): number {
  if (/^[+-]?\d*,\d+$/.test(text))
    throw new BadValue(
      `${quoted(text)} has a decimal comma`,
      `write it with a point: ${text.replace(',', '.')}`,
    );
  if (!DECIMAL.test(text)) throw new BadValue(`${quoted(text)} is not a number`, hint);
  return Number(text);
}

function within(value: number, text: string, least: number, most: number, hint: string): number {
  if (value < least) throw new BadValue(`${quoted(text)} is less than ${least}`, hint);
  if (value > most) throw new BadValue(`${quoted(text)} is more than ${most}`, hint);
  return value;
}
