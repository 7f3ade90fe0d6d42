/** A parsed string token; if `bytes`, `value` has one byte per character. */
export type PythonText = { readonly bytes: boolean; readonly value: string };

/** Why a string token is invalid, and the offset into the token. */
export type StringFault = { readonly fault: string; readonly at: number };

const SIMPLE: Readonly<Record<string, string>> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const HEX_DIGITS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };

/** Parses a string token with its prefix and quotes. */
export function readString(token: string): PythonText | StringFault {
  const quoteAt = token.search(/['"]/);
  const prefix = token.slice(0, quoteAt).toLowerCase();
  if (!['', 'r', 'u', 'b', 'br', 'rb'].includes(prefix)) {
    return { fault: `a string with the prefix ‘${prefix}’ is no literal`, at: 0 };
  }
  const bytes = prefix.includes('b');
  const width =
    token.startsWith(token.charAt(quoteAt).repeat(3), quoteAt) && token.length >= quoteAt + 6 ? 3 : 1;
  const start = quoteAt + width;
  const body = token.slice(start, -width);
  // oxlint-disable-next-line no-control-regex -- matches ASCII.
  const nonAscii = bytes ? body.search(/[^\x00-\x7f]/) : -1;
  if (nonAscii >= 0) return { fault: 'bytes can only hold ASCII characters', at: start + nonAscii };
  if (prefix.includes('r') || !body.includes('\\')) return { bytes, value: body };
  const read = readEscapes(body, bytes);
  return 'fault' in read ? { fault: read.fault, at: start + read.at } : { bytes, value: read.value };
}

function readEscapes(body: string, bytes: boolean): { readonly value: string } | StringFault {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    const next = body.indexOf('\\', at);
    if (next < 0) break;
    parts.push(body.slice(at, next));
    const escape = readEscape(body, next, bytes);
    if ('fault' in escape) return { fault: escape.fault, at: next };
    parts.push(escape.value);
    at = next + escape.length;
  }
  parts.push(body.slice(at));
  return { value: parts.join('') };
}

type Escape = { readonly value: string; readonly length: number } | { readonly fault: string };

/** Parses the escape at `at`; an unknown one stays as it is, as in Python. */
function readEscape(body: string, at: number, bytes: boolean): Escape {
  const char = body.charAt(at + 1);
  const simple = SIMPLE[char];
  if (simple !== undefined) return { value: simple, length: 2 };
  if (char >= '0' && char <= '7') return octal(body, at, bytes);
  const digits = bytes && char !== 'x' ? undefined : HEX_DIGITS[char];
  if (digits !== undefined) return hexadecimal(body, at, digits);
  if (char === 'N' && !bytes) {
    return { fault: 'characters by name (\\N{...}) are not supported: write \\u and the number instead' };
  }
  return { value: `\\${char}`, length: 2 };
}

function octal(body: string, at: number, bytes: boolean): Escape {
  const digits = /^[0-7]{1,3}/.exec(body.slice(at + 1, at + 4))?.[0] ?? '';
  const code = Number.parseInt(digits, 8);
  // CPython drops the ninth bit in bytes.
  return { value: String.fromCharCode(bytes ? code & 0xff : code), length: 1 + digits.length };
}

function hexadecimal(body: string, at: number, count: number): Escape {
  const digits = body.slice(at + 2, at + 2 + count);
  if (digits.length < count || !/^[0-9a-f]+$/i.test(digits)) {
    return { fault: `an escape needs ${count} hexadecimal digits` };
  }
  const code = Number.parseInt(digits, 16);
  if (code > 0x10_ffff) return { fault: 'an escape names no character' };
  return { value: String.fromCodePoint(code), length: 2 + count };
}
