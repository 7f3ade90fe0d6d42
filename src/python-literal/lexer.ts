import { LIMITS } from '../limits.ts';
import { LiteralError } from './literal-error.ts';

/** A token of a Python literal: `text.slice(start, end)`. A string includes its prefix and quotes. */
export type Token = {
  readonly kind: 'string' | 'number' | 'name' | 'mark' | 'end';
  readonly start: number;
  readonly end: number;
};

const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/**
 * Tokenizes one expression as CPython does: newlines and comments are allowed inside brackets, and before and after the
 * whole. The text must have `\n` as its only line end.
 */
export class PythonLexer {
  readonly #text: string;
  readonly #open: string[] = [];
  #at = 0;
  #indent = 0;
  #started = false;
  #lineEnded = false;

  constructor(text: string) {
    this.#text = text;
    // ast.literal_eval strips spaces and tabs before the first line.
    while (isBlank(text.charCodeAt(this.#at))) this.#at++;
  }

  /** The next token; `end` after the last. Throws LiteralError. */
  next(): Token {
    this.#skipSpace();
    const start = this.#at;
    const char = this.#text.charAt(start);
    if (char === '') return this.#finish(start);
    if (this.#lineEnded) throw this.#error('text after the literal', start);
    if (!this.#started && this.#indent > 0) throw this.#error('unexpected indent', start);
    this.#started = true;
    if (isDigit(char.charCodeAt(0)) || (char === '.' && isDigit(this.#text.charCodeAt(start + 1)))) {
      return this.#number(start);
    }
    if (char === '"' || char === "'") return this.#string(start, start);
    if (isNamePart(char.charCodeAt(0))) return this.#nameOrPrefix(start);
    return this.#mark(start, char);
  }

  #error(what: string, at: number): LiteralError {
    return new LiteralError(this.#text, what, at);
  }

  #skipSpace(): void {
    const text = this.#text;
    for (;;) {
      const char = text.charAt(this.#at);
      if (char === ' ' || char === '\t' || char === '\f') {
        this.#indent = char === '\f' ? 0 : this.#indent + 1;
        this.#at++;
      } else if (char === '\n') {
        this.#indent = 0;
        this.#at++;
        if (this.#started && this.#open.length === 0) this.#lineEnded = true;
      } else if (char === '#') {
        const end = text.indexOf('\n', this.#at);
        this.#indent = 0;
        this.#at = end < 0 ? text.length : end;
      } else if (char === '\\' && text.charAt(this.#at + 1) === '\n') {
        this.#at += 2;
        if (this.#at === text.length) throw this.#error('unexpected end of the text', this.#at);
      } else {
        return;
      }
    }
  }

  #finish(at: number): Token {
    const open = this.#open.at(-1);
    if (open !== undefined) throw this.#error(`‘${open}’ was never closed`, at);
    // CPython takes a last line of spaces for an indent.
    if (this.#lineEnded && this.#indent > 0) throw this.#error('unexpected indent', at);
    return { kind: 'end', start: at, end: at };
  }

  /** Takes all characters that may belong to a number; `readNumber` validates them. */
  #number(start: number): Token {
    const text = this.#text;
    const second = text.charAt(start + 1).toLowerCase();
    const based = text.charAt(start) === '0' && (second === 'x' || second === 'o' || second === 'b');
    let at = start;
    for (;;) {
      const char = text.charCodeAt(at);
      if (isNamePart(char) || char === 46) at++;
      else if (!based && (char === 43 || char === 45) && (text.charCodeAt(at - 1) | 32) === 101) at++;
      else break;
    }
    this.#at = at;
    return { kind: 'number', start, end: at };
  }

  #nameOrPrefix(start: number): Token {
    const text = this.#text;
    let at = start;
    while (isNamePart(text.charCodeAt(at))) at++;
    const quote = text.charAt(at);
    if (quote === '"' || quote === "'") return this.#string(start, at);
    this.#at = at;
    return { kind: 'name', start, end: at };
  }

  #string(start: number, quoteAt: number): Token {
    const text = this.#text;
    const quote = text.charAt(quoteAt);
    const triple = text.startsWith(quote.repeat(3), quoteAt);
    const close = triple ? quote.repeat(3) : quote;
    let at = quoteAt + close.length;
    for (;;) {
      const char = text.charAt(at);
      if (char === '' || (char === '\n' && !triple)) {
        throw this.#error('a string was never closed', quoteAt);
      }
      if (char === '\\') {
        at += 2;
      } else if (char === quote && (!triple || text.startsWith(close, at))) {
        this.#at = at + close.length;
        return { kind: 'string', start, end: this.#at };
      } else {
        at++;
      }
    }
  }

  #mark(start: number, char: string): Token {
    const mark = this.#text.startsWith('...', start) ? '...' : char;
    const close = CLOSING[char];
    if (close !== undefined) {
      if (this.#open.length === LIMITS.broker.literalDepth.max)
        throw this.#error(`more than ${LIMITS.broker.literalDepth.max} open brackets`, start);
      this.#open.push(char);
    } else if (char === ')' || char === ']' || char === '}') {
      const open = this.#open.pop();
      if (open === undefined || CLOSING[open] !== char) throw this.#error(`unexpected ‘${char}’`, start);
    } else if (mark !== '...' && !',:+-'.includes(char)) {
      throw this.#error(`unexpected ${nameOf(char)}`, start);
    }
    this.#at = start + mark.length;
    return { kind: 'mark', start, end: this.#at };
  }
}

function isBlank(code: number): boolean {
  return code === 32 || code === 9;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** ASCII letters, digits and `_`; no name in a literal has other characters. */
function isNamePart(code: number): boolean {
  return isDigit(code) || code === 95 || ((code | 32) >= 97 && (code | 32) <= 122);
}

/** A character for a message: itself if it is printable. */
function nameOf(char: string): string {
  return char > ' ' && char <= '~' ? `‘${char}’` : `character U+${hex(char.charCodeAt(0))}`;
}

function hex(code: number): string {
  return code.toString(16).toUpperCase().padStart(4, '0');
}
