import { parse } from 'smol-toml';
import { isTable } from './file-values.ts';

/** A table’s header or a `key = value` of a TOML text, with its place in it; `end` is behind its last character. */
export type Statement = {
  readonly kind: 'table' | 'array' | 'pair';
  /** The names from the top of the file: `['gpu', 'NVIDIA H100', 'ask-price']`. */
  readonly path: readonly string[];
  /** Where its line begins. */
  readonly line: number;
  /** The value of a pair; of a header the header itself. */
  readonly start: number;
  readonly end: number;
};

/** The statements of a TOML text in their order. The text must be valid TOML. */
export function statementsOf(text: string): readonly Statement[] {
  const statements: Statement[] = [];
  let table: readonly string[] = [];
  for (let at = 0; at < text.length; ) {
    const line = at;
    at += /^[ \t\r\n]*/.exec(text.slice(at))?.[0].length ?? 0;
    const start = text.lastIndexOf('\n', at - 1) + 1;
    if (at >= text.length) break;
    if (text[at] === '#') {
      at = endOfLine(text, at);
    } else if (text[at] === '[') {
      const end = endOfHeader(text, at);
      const header = text.slice(at, end);
      table = pathOf(`${header}\n`);
      const kind = header.startsWith('[[') ? 'array' : 'table';
      statements.push({ kind, path: table, line: start, start: at, end });
      at = endOfLine(text, end);
    } else {
      const equals = endOfKey(text, at);
      const value = equals + 1 + (/^[ \t]*/.exec(text.slice(equals + 1))?.[0].length ?? 0);
      const end = endOfValue(text, value);
      const key = pathOf(`${text.slice(at, equals)} = 0\n`);
      statements.push({ kind: 'pair', path: [...table, ...key], line: start, start: value, end });
      at = endOfLine(text, end);
    }
    if (at <= line) break;
  }
  return statements;
}

/** The names of the only thing that a TOML text says. */
function pathOf(text: string): readonly string[] {
  const path: string[] = [];
  let value: unknown = parse(text);
  for (;;) {
    if (Array.isArray(value)) value = value[0];
    if (!isTable(value)) return path;
    const [entry] = Object.entries(value);
    if (entry === undefined) return path;
    path.push(entry[0]);
    value = entry[1];
  }
}

function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at < 0 ? text.length : at + 1;
}

/** Behind the brackets; names in quotes may have some. */
function endOfHeader(text: string, from: number): number {
  let open = 0;
  for (let at = from; at < text.length; ) {
    if (text[at] === '"' || text[at] === "'") at = endOfString(text, at);
    else {
      if (text[at] === '[') open += 1;
      if (text[at] === ']') open -= 1;
      at += 1;
      if (open === 0) return at;
    }
  }
  return text.length;
}

/** The `=` behind a key. */
function endOfKey(text: string, from: number): number {
  for (let at = from; at < text.length; ) {
    if (text[at] === '=') return at;
    at = text[at] === '"' || text[at] === "'" ? endOfString(text, at) : at + 1;
  }
  return text.length;
}

/** Behind a value, which may have several lines. */
function endOfValue(text: string, from: number): number {
  let depth = 0;
  let end = from;
  for (let at = from; at < text.length; ) {
    const character = text[at] ?? '';
    if (character === '"' || character === "'") {
      at = endOfString(text, at);
      end = at;
      continue;
    }
    if (character === '#') {
      if (depth === 0) return end;
      at = endOfLine(text, at);
      continue;
    }
    if (character === '\n' && depth === 0) return end;
    if (character === '[' || character === '{') depth += 1;
    if (character === ']' || character === '}') depth -= 1;
    at += 1;
    if (!/\s/.test(character)) end = at;
  }
  return end;
}

/** Behind a string of any of TOML's four kinds. */
function endOfString(text: string, from: number): number {
  const quote = text[from] ?? '';
  const triple = quote.repeat(3);
  const isLong = text.startsWith(triple, from);
  const close = isLong ? triple : quote;
  for (let at = from + close.length; at < text.length; at += 1) {
    if (quote === '"' && text[at] === '\\') at += 1;
    else if (text.startsWith(close, at)) {
      const end = at + close.length;
      // Up to two quotes may stand before the closing ones.
      return isLong ? end + quotesAt(text.slice(end, end + 2), quote) : end;
    }
  }
  return text.length;
}

/** How many quotes a text begins with. */
function quotesAt(text: string, quote: string): number {
  if (!text.startsWith(quote)) return 0;
  return text[1] === quote ? 2 : 1;
}
