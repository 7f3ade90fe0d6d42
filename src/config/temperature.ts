import { BadValue, quoted, single, type ValueType } from './value-type.ts';

const [MIN_C, MAX_C] = [40, 110];
/** Below this a GPU is too hot soon after a job has started. */
const LOW_C = 60;

/** Degrees Celsius from 40 to 110, or `none`, which is Infinity. */
export const maxTemperature: ValueType<number> = single({
  metavar: 'CELSIUS',
  parse: (text) => {
    const hint = `write degrees Celsius from ${MIN_C} to ${MAX_C}, such as 80, or none`;
    if (text.toLowerCase() === 'none') return Number.POSITIVE_INFINITY;
    const found = /^([+-]?\d+(?:\.\d+)?)\s*(?:°\s*)?C?$/i.exec(text)?.[1];
    if (found === undefined) throw new BadValue(`${quoted(text)} is not a temperature`, hint);
    const value = Number(found);
    if (value < MIN_C) throw new BadValue(`${quoted(text)} is less than ${MIN_C} °C`, hint);
    if (value > MAX_C) throw new BadValue(`${quoted(text)} is more than ${MAX_C} °C`, hint);
    return value;
  },
  show: (value) => (value === Number.POSITIVE_INFINITY ? 'none' : String(value)),
  warn: (value) =>
    value < LOW_C ? `a GPU at work is warmer than ${value} °C, so it gets few jobs` : undefined,
});
