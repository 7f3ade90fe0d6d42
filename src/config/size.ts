import { BadValue, quoted, single, type ValueType } from './value-type.ts';

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
};
const SIZE = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i;

/** A number of bytes from `min` to `max`, which are written as `20 GB`. */
export function size(min: string, max: string): ValueType<number> {
  const hint = `write a size from ${min} to ${max} with its unit, such as 20 GB or 512MiB`;
  return single({
    metavar: 'SIZE',
    parse: (text) => {
      const value = readSize(text);
      if (value === undefined) throw new BadValue(`${quoted(text)} ${problemOf(text)}`, hint);
      if (value < (readSize(min) ?? 0)) throw new BadValue(`${quoted(text)} is less than ${min}`, hint);
      if (value > (readSize(max) ?? 0)) throw new BadValue(`${quoted(text)} is more than ${max}`, hint);
      return value;
    },
    show: showSize,
  });
}

/** Formats bytes exactly, in the unit with the fewest digits: `20 GB`, `512 MiB`, `1234567 B`. */
export function showSize(bytes: number): string {
  const written = Object.entries(UNITS)
    .map(([unit, factor]) => `${bytes / factor} ${unit}`)
    .filter((text) => /^\d{1,4}(\.\d{1,2})? /.test(text) && readSize(text) === bytes);
  return written.sort((a, b) => a.length - b.length)[0] ?? `${bytes} B`;
}

function readSize(text: string): number | undefined {
  const [, amount, unit] = SIZE.exec(text) ?? [];
  if (amount === undefined || unit === undefined) return undefined;
  const name = Object.keys(UNITS).find((known) => known.toLowerCase() === unit.toLowerCase());
  const factor = name === undefined ? undefined : UNITS[name];
  return factor === undefined ? undefined : Math.round(Number(amount) * factor);
}

function problemOf(text: string): string {
  if (/^[\d.]+$/.test(text)) return 'has no unit';
  const letter = /^[\d.]+\s*([kmgt])$/i.exec(text)?.[1]?.toUpperCase();
  return letter === undefined
    ? 'is not a size'
    : `may mean ${letter}B (powers of 1000) or ${letter}iB (powers of 1024)`;
}
