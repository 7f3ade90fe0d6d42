import { PythonLexer, type Token } from './lexer.ts';
import { LiteralError } from './literal-error.ts';
import { readNumber } from './number.ts';
import { readString } from './string.ts';
import { hashKeyOf, type PythonValue } from './value.ts';

/**
 * Parses what `ast.literal_eval` of CPython 3.10 and later accepts, in linear time. Throws LiteralError for everything else
 * and for characters by name (`\N{...}`).
 */
export function parsePythonLiteral(text: string): PythonValue {
  return new LiteralParser(text).whole();
}

/** Splits a run's parameters, a tuple or list of tuples or lists, into the source of each inner one. Throws LiteralError. */
export function splitParameters(text: string): readonly string[] {
  const parser = new LiteralParser(text, true);
  const value = parser.whole();
  if (value.kind !== 'tuple' && value.kind !== 'list') {
    throw new LiteralError(text, 'parameters are a tuple of tuples, not one value', 0);
  }
  return value.items.map((item, index) => {
    const { start, end } = parser.outerSpans[index] ?? { start: 0, end: 0 };
    if (item.kind !== 'tuple' && item.kind !== 'list') {
      throw new LiteralError(
        parser.text,
        'parameters are a tuple of tuples, as in ((1, 2),): here is no tuple',
        start,
      );
    }
    return parser.text.slice(start, end);
  });
}

type Span = { readonly start: number; readonly end: number };
type Num = Extract<PythonValue, { kind: 'int' | 'float' | 'complex' }>;

/** Shared, because a text may have a million of them. */
const EMPTY_TUPLE: PythonValue = { kind: 'tuple', items: [] };
const EMPTY_LIST: PythonValue = { kind: 'list', items: [] };

const NAMES: Readonly<Record<string, PythonValue>> = {
  None: { kind: 'none' },
  True: { kind: 'bool', value: true },
  False: { kind: 'bool', value: false },
};

/** A recursive descent parser; the lexer's limit on open brackets bounds the recursion. */
class LiteralParser {
  /** The text with `\n` as its line ends, as in CPython's tokenizer; spans are offsets into it. */
  readonly text: string;
  /** The items of the tuple or list that was closed last; after parsing that is the outermost one. */
  outerSpans: readonly Span[] = [];
  readonly #lexer: PythonLexer;
  readonly #keepSpans: boolean;
  #token: Token;
  #lastEnd = 0;
  /** The form of the expression that was parsed last; only a number that is not a sum may be signed or added. */
  #form: 'number' | 'signed' | 'other' = 'other';

  /** `keepSpans`: whether `outerSpans` are wanted, which take more memory than the values. */
  constructor(text: string, keepSpans = false) {
    this.#keepSpans = keepSpans;
    if (!text.isWellFormed()) throw new LiteralError(text, 'half a surrogate pair in the text', 0);
    const nul = text.indexOf('\0');
    if (nul >= 0) throw new LiteralError(text, 'a NUL character', nul);
    this.text = text.includes('\r') ? text.replace(/\r\n?/g, '\n') : text;
    this.#lexer = new PythonLexer(this.text);
    this.#token = this.#lexer.next();
  }

  whole(): PythonValue {
    const items: PythonValue[] = [];
    const tuple = this.#sequence(items, '');
    if (this.#token.kind !== 'end') throw this.#unexpected();
    const [only] = items;
    if (only === undefined) throw this.#unexpected();
    return tuple ? { kind: 'tuple', items } : only;
  }

  #unexpected(): LiteralError {
    const { kind, start, end } = this.#token;
    if (kind === 'end') return new LiteralError(this.text, 'unexpected end of the text', start);
    const shown = this.text.slice(start, Math.min(end, start + 40));
    return new LiteralError(this.text, `unexpected ‘${shown}’`, start);
  }

  #advance(): void {
    this.#lastEnd = this.#token.end;
    this.#token = this.#lexer.next();
  }

  #isMark(mark: string): boolean {
    const { kind, start, end } = this.#token;
    return kind === 'mark' && end - start === mark.length && this.text.startsWith(mark, start);
  }

  #takeMark(mark: string): boolean {
    const here = this.#isMark(mark);
    if (here) this.#advance();
    return here;
  }

  #expectMark(mark: string): void {
    if (!this.#takeMark(mark)) throw this.#unexpected();
  }

  /** Parses items up to `close`, exclusive. Returns whether there was a comma, which makes parentheses a tuple. */
  #sequence(items: PythonValue[], close: string): boolean {
    const spans: Span[] = [];
    let comma = false;
    while (!this.#isMark(close) && this.#token.kind !== 'end') {
      const { start } = this.#token;
      items.push(this.#expression());
      if (this.#keepSpans) spans.push({ start, end: this.#lastEnd });
      if (!this.#takeMark(',')) break;
      comma = true;
    }
    // Parentheses around one expression are not a sequence.
    if (comma || close === ']' || items.length === 0) this.outerSpans = spans;
    return comma;
  }

  #expression(): PythonValue {
    const { start } = this.#token;
    let value = this.#signed();
    while (this.#isMark('+') || this.#isMark('-')) {
      const sign = this.#isMark('-') ? -1 : 1;
      const real = this.#form === 'other' || !isNumber(value) ? undefined : realPart(value);
      if (real === undefined) throw this.#unexpected();
      if (!Number.isFinite(real) && value.kind === 'int') {
        throw new LiteralError(this.text, 'an integer too large for a complex number', start);
      }
      this.#advance();
      const at = this.#token.start;
      const right = this.#atom();
      if (this.#form !== 'number' || right.kind !== 'complex') {
        throw new LiteralError(this.text, 'only an imaginary number can be added to a number', at);
      }
      value = { kind: 'complex', real: real + sign * right.real, imag: sign * right.imag + 0 };
      this.#form = 'other';
    }
    return value;
  }

  #signed(): PythonValue {
    const minus = this.#isMark('-');
    if (!minus && !this.#isMark('+')) return this.#atom();
    this.#advance();
    const at = this.#token.start;
    const value = this.#atom();
    if (this.#form !== 'number' || !isNumber(value))
      throw new LiteralError(this.text, 'a sign before no number', at);
    this.#form = 'signed';
    return minus ? negated(value) : value;
  }

  #atom(): PythonValue {
    switch (this.#token.kind) {
      case 'number':
        return this.#number();
      case 'string':
        return this.#strings();
      case 'name':
        return this.#name();
      default:
        return this.#bracketed();
    }
  }

  #number(): PythonValue {
    const { start, end } = this.#token;
    const value = readNumber(this.text.slice(start, end));
    if (value === undefined) throw new LiteralError(this.text, 'a number that Python does not take', start);
    this.#advance();
    this.#form = 'number';
    return value;
  }

  /** Adjacent strings, which are concatenated. */
  #strings(): PythonValue {
    const parts: string[] = [];
    let bytes: boolean | undefined;
    while (this.#token.kind === 'string') {
      const { start, end } = this.#token;
      const read = readString(this.text.slice(start, end));
      if ('fault' in read) throw new LiteralError(this.text, read.fault, start + read.at);
      bytes ??= read.bytes;
      if (bytes !== read.bytes) throw new LiteralError(this.text, 'bytes and text in one string', start);
      parts.push(read.value);
      this.#advance();
    }
    this.#form = 'other';
    const value = parts.join('');
    return bytes === true
      ? { kind: 'bytes', value: Uint8Array.from(value, (char) => char.charCodeAt(0)) }
      : { kind: 'str', value };
  }

  #name(): PythonValue {
    const name = this.text.slice(this.#token.start, this.#token.end);
    this.#form = 'other';
    const value = Object.hasOwn(NAMES, name) ? NAMES[name] : undefined;
    if (value === undefined && name !== 'set') throw this.#unexpected();
    this.#advance();
    if (value !== undefined) return value;
    // An empty set is written set().
    this.#expectMark('(');
    this.#expectMark(')');
    return { kind: 'set', items: [] };
  }

  #bracketed(): PythonValue {
    if (this.#takeMark('(')) return this.#parentheses();
    if (this.#takeMark('[')) {
      const items: PythonValue[] = [];
      this.#sequence(items, ']');
      this.#expectMark(']');
      this.#form = 'other';
      return items.length === 0 ? EMPTY_LIST : { kind: 'list', items: fitted(items) };
    }
    if (this.#takeMark('{')) {
      const value = this.#braces();
      this.#expectMark('}');
      this.#form = 'other';
      return value;
    }
    if (!this.#takeMark('...')) throw this.#unexpected();
    this.#form = 'other';
    return { kind: 'ellipsis' };
  }

  #parentheses(): PythonValue {
    const items: PythonValue[] = [];
    const tuple = this.#sequence(items, ')');
    this.#expectMark(')');
    const [only] = items;
    if (!tuple && only !== undefined) return only;
    this.#form = 'other';
    return items.length === 0 ? EMPTY_TUPLE : { kind: 'tuple', items: fitted(items) };
  }

  /** A set or a dict. Of equal keys Python keeps the first key and the last value. */
  #braces(): PythonValue {
    const entries = new Map<string, readonly [PythonValue, PythonValue]>();
    let dict: boolean | undefined;
    while (!this.#isMark('}')) {
      const { start } = this.#token;
      const key = this.#expression();
      const hash = hashKeyOf(key);
      if (hash === undefined) throw new LiteralError(this.text, `a ${key.kind} cannot be hashed`, start);
      dict ??= this.#isMark(':');
      if (dict) this.#expectMark(':');
      const value = dict ? this.#expression() : key;
      entries.set(hash, [entries.get(hash)?.[0] ?? key, value]);
      if (!this.#takeMark(',')) break;
    }
    return dict === false
      ? { kind: 'set', items: [...entries.values()].map(([key]) => key) }
      : { kind: 'dict', entries: [...entries.values()] };
  }
}

/** A short list without the room to grow that `push` has made for it. */
function fitted(items: readonly PythonValue[]): readonly PythonValue[] {
  return items.length < 16 ? items.slice() : items;
}

function isNumber(value: PythonValue): value is Num {
  return value.kind === 'int' || value.kind === 'float' || value.kind === 'complex';
}

/** The number as a float; undefined for a complex one, to which no imaginary part can be added. */
function realPart(value: Num): number | undefined {
  return value.kind === 'complex' ? undefined : Number(value.value);
}

function negated(value: Num): Num {
  if (value.kind === 'complex') return { kind: 'complex', real: -value.real, imag: -value.imag };
  return value.kind === 'int' ? { kind: 'int', value: -value.value } : { kind: 'float', value: -value.value };
}
