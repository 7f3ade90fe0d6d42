import { BadValue, quoted, single, type ValueType } from './value-type.ts';

/** Bits per second of a unit. Lines are sold in bits, programs count bytes, so both are taken and neither is guessed. */
const UNITS: ReadonlyMap<string, number> = new Map([
  ['kbit/s', 1e3],
  ['Mbit/s', 1e6],
  ['Gbit/s', 1e9],
  ['kB/s', 8e3],
  ['MB/s', 8e6],
  ['GB/s', 8e9],
]);
const BANDWIDTH = /^(\d+(?:\.\d+)?)\s*([a-z/]+)$/i;
const MIN = 64e3;
const MAX = 1e12;

/** A number of bits per second, which is written as `20 Mbit/s` or `2.5 MB/s`. */
export const bandwidth: ValueType<number> = single({
  metavar: 'RATE',
  parse: (text) => {
    const hint = 'write a rate from 64 kbit/s to 1000 Gbit/s with its unit, such as 20 Mbit/s or 2.5 MB/s';
    const [, amount, unit = ''] = BANDWIDTH.exec(text) ?? [];
    const factor =
      UNITS.get(unit) ??
      UNITS.get(unit.toLowerCase().replace(/^[mg](?=bit)/, (letter) => letter.toUpperCase()));
    if (amount === undefined || factor === undefined)
      throw new BadValue(`${quoted(text)} is not a rate in bits or bytes per second`, hint);
    const bits = Math.round(Number(amount) * factor);
    if (bits < MIN) throw new BadValue(`${quoted(text)} is less than 64 kbit/s`, hint);
    if (bits > MAX) throw new BadValue(`${quoted(text)} is more than 1000 Gbit/s`, hint);
    return bits;
  },
  show: showBandwidth,
});

/** Formats bits per second exactly: `20 Mbit/s`, `1.5 Gbit/s`, `123.456 kbit/s`. */
export function showBandwidth(bits: number): string {
  const [unit, factor] = [...UNITS].findLast(([name, size]) => name.includes('bit') && bits >= size) ?? [
    'kbit/s',
    1e3,
  ];
  return `${bits / factor} ${unit}`;
}
