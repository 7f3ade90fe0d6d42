import type { PythonValue } from './value.ts';

/** The limit of CPython 3.11 and later (sys.int_info.default_max_str_digits); longer numbers are slow to parse. */
const MAX_DECIMAL_DIGITS = 4300;
const BASES: Readonly<Record<string, RegExp>> = {
  x: /^[0-9a-f]+$/i,
  o: /^[0-7]+$/,
  b: /^[01]+$/,
};
/** Shared, because a text may have a million of them. */
const DIGIT_VALUES = Array.from(
  { length: 10 },
  (_, digit): PythonValue => ({ kind: 'int', value: BigInt(digit) }),
);
const DIGITS = /^[0-9]+$/;

/** Parses a Python number without a sign: any base, underscores, floats, imaginary. Undefined: invalid. */
export function readNumber(text: string): PythonValue | undefined {
  const base = text.startsWith('0') ? BASES[text.charAt(1).toLowerCase()] : undefined;
  if (base !== undefined) return readBased(text, base);
  if (/j$/i.test(text)) {
    const imag = readDecimal(text.slice(0, -1));
    return imag === undefined ? undefined : { kind: 'complex', real: 0, imag };
  }
  if (/[.e]/i.test(text)) {
    const value = readDecimal(text);
    return value === undefined ? undefined : { kind: 'float', value };
  }
  return readInteger(text);
}

function readBased(text: string, digits: RegExp): PythonValue | undefined {
  const body = text.slice(text.charAt(2) === '_' ? 3 : 2);
  const plain = withoutUnderscores(body, digits);
  return plain === undefined ? undefined : { kind: 'int', value: BigInt(`0${text.charAt(1)}${plain}`) };
}

function readInteger(text: string): PythonValue | undefined {
  const plain = withoutUnderscores(text, DIGITS);
  if (plain === undefined) return undefined;
  if (/^0+$/.test(plain)) return { kind: 'int', value: 0n };
  if (plain.startsWith('0') || plain.length > MAX_DECIMAL_DIGITS) return undefined;
  if (plain.length === 1) return DIGIT_VALUES[Number(plain)];
  return { kind: 'int', value: BigInt(plain) };
}

/** Digits with at most one point and one exponent, and at least one digit around the point. */
function readDecimal(text: string): number | undefined {
  const [mantissa = '', exponent, ...tooMany] = text.toLowerCase().split('e');
  if (tooMany.length > 0) return undefined;
  const [whole = '', fraction = '', ...points] = mantissa.split('.');
  if (points.length > 0 || (whole === '' && fraction === '')) return undefined;
  const parts = [whole, fraction].filter((part) => part !== '');
  if (exponent !== undefined) parts.push(exponent.replace(/^[+-]/, ''));
  if (parts.some((part) => withoutUnderscores(part, DIGITS) === undefined)) return undefined;
  return Number(text.replaceAll('_', ''));
}

/** Removes underscores, which are only allowed between two digits; undefined: invalid. */
function withoutUnderscores(text: string, digits: RegExp): string | undefined {
  const parts = text.split('_');
  return parts.every((part) => digits.test(part)) ? parts.join('') : undefined;
}
