import { BadValue, quoted, single, type ValueType } from './value-type.ts';

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;
const UNIT_NAMES = ['d', 'h', 'm', 's', 'ms'] as const;
const PARTS = /(\d+(?:\.\d+)?)\s*(ms|[dhms])/gi;
const WHOLE = /^(?:\d+(?:\.\d+)?\s*(?:ms|[dhms])\s*)+$/i;

/** A time span in milliseconds from `min` to `max`, which are written as `1h30m`. */
export function duration(min: string, max: string): ValueType<number> {
  const hint = `write a time from ${min} to ${max} with its unit (ms, s, m, h, d), such as 5s or 1h30m`;
  return single({
    metavar: 'DURATION',
    parse: (text) => {
      const value = readDuration(text);
      if (value === undefined)
        throw new BadValue(
          `${quoted(text)} ${/^[\d.]+$/.test(text) ? 'has no unit' : 'is not a time span'}`,
          hint,
        );
      if (value < (readDuration(min) ?? 0)) throw new BadValue(`${quoted(text)} is less than ${min}`, hint);
      if (value > (readDuration(max) ?? 0)) throw new BadValue(`${quoted(text)} is more than ${max}`, hint);
      return value;
    },
    show: showDuration,
  });
}

/** Formats milliseconds: `1h30m`, `500ms`, `0s`. */
export function showDuration(milliseconds: number): string {
  let rest = Math.round(milliseconds);
  let text = '';
  for (const name of UNIT_NAMES) {
    const whole = Math.floor(rest / UNITS[name]);
    if (whole > 0) text += `${whole}${name}`;
    rest -= whole * UNITS[name];
  }
  return text === '' ? '0s' : text;
}

function readDuration(text: string): number | undefined {
  if (!WHOLE.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(PARTS)) {
    const name = UNIT_NAMES.find((known) => known === unit?.toLowerCase());
    if (name === undefined) return undefined;
    total += Number(amount) * UNITS[name];
  }
  return Math.round(total);
}
