import { LIMITS } from '../limits.ts';
import { FieldCapture, type Fields, MAX_NAME_BYTES, type ProjectedItem, readName } from './json-fields.ts';

/** What an answer as a whole was. */
export type AnswerShape =
  | { readonly kind: 'not-json' }
  /** JSON, but no list although one was asked for. */
  | { readonly kind: 'not-a-list' }
  /** `next`: the address of the next page of a list. */
  | { readonly kind: 'whole'; readonly next: string | undefined };

export type ProjectorOptions = {
  /** `list`: an array, or an object with one array `results`, of items. `one`: the whole text is one item. */
  readonly shape: 'list' | 'one';
  readonly fields: Fields;
  /** Takes each item as soon as it is complete; answers whether more are wanted. */
  readonly onItem: (item: ProjectedItem) => boolean;
};

const PAGE_FIELDS: Fields = {
  next: { keep: LIMITS.broker.pageAddress.max, refuse: LIMITS.broker.pageAddress.max },
};
const NOTHING = new Uint8Array();
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];
const MAX_TOP_SCALAR = 1_000;
/** A page, its list, an item. */
const MAX_DEPTH = 3;

// What comes next in the text.
const VALUE = 0;
const VALUE_OR_END = 1;
const KEY_OR_END = 2;
const KEY = 3;
const COLON = 4;
const COMMA_OR_END = 5;
const IN_STRING = 6;
const IN_SCALAR = 7;
const IN_NESTED = 8;
const END = 9;
const FAILED = 10;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;

const NOT_AN_OBJECT: ProjectedItem = { kind: 'item', json: null, omitted: new Map(), bytes: 0 };

/** The bytes of numbers, `true`, `false`, `null`, and of the `NaN` and `Infinity` that Python writes. */
const SCALAR_BYTES = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[-+.0-9A-Za-z]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

/**
 * Reads JSON piece by piece, keeps the wanted fields of each item and skips all else without keeping it, so that memory
 * and time per piece do not depend on what is sent. The grammar of what is skipped is not checked, beyond its brackets and
 * strings.
 */
export class JsonProjector {
  readonly #options: ProjectorOptions;
  readonly #item: FieldCapture;
  readonly #page = new FieldCapture(PAGE_FIELDS);
  #state = VALUE;
  /** How many of page, list and item are open, and what closes each. */
  #depth = 0;
  readonly #brackets = new Uint8Array(MAX_DEPTH);
  /** How many brackets are open in a value that is none of them. */
  #nested = 0;
  #isStarted = false;
  #byteOrderMark = 0;
  #topScalar = '';
  /** The depth at which items are; -1 where there are none. */
  #itemDepth: number;
  #isList = false;
  #isPage = false;
  /** Whether the value that began last at the depth of items is an object. */
  #isObject = false;
  /** Whether the current string is a key, and whether its last byte was a backslash. */
  #isKey = false;
  #isEscaped = false;
  /** What takes the fields at the depth of the current key; undefined: nothing does. */
  #keyTaker: FieldCapture | undefined;
  /** Where the current key or kept value begins in this piece. */
  #from = 0;
  /** The part of a key that was in earlier pieces. */
  #keyStart: Uint8Array | undefined;
  #isResults = false;
  /** Whether `results` came again after the list: only the last should count, and the items of the first are gone. */
  #isRepeated = false;
  /** What takes the value after the current key. */
  #opened: FieldCapture | undefined;
  /** What takes the current value. */
  #taker: FieldCapture | undefined;
  #isEnough = false;

  constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#item = new FieldCapture(options.fields);
    this.#itemDepth = options.shape === 'one' ? 0 : -1;
  }

  /** Why the current item is invalid as far as it was read; undefined: it is not. */
  get refusal(): string | undefined {
    return this.#item.refusal;
  }

  /** How much is held of the current item, in bytes. */
  get heldBytes(): number {
    return this.#item.heldBytes;
  }

  /** Takes the next bytes; answers whether more are wanted. */
  write(piece: Uint8Array): boolean {
    this.#from = 0;
    let at = 0;
    while (at < piece.length && !this.#isEnough) {
      if (this.#state === IN_STRING) at = this.#readString(piece, at);
      else if (this.#state === IN_SCALAR) at = this.#readScalar(piece, at);
      else if (this.#state === IN_NESTED) at = this.#readNested(piece, at);
      else at = this.#readToken(piece, at);
    }
    if (this.#taker !== undefined) this.#taker.take(piece, this.#from, piece.length);
    else if (this.#keyTaker !== undefined && this.#state === IN_STRING) this.#keepKey(piece);
    return !this.#isEnough;
  }

  /** To be called after the last piece of an answer that was read to its end. */
  end(): AnswerShape {
    if (this.#state === IN_SCALAR && this.#depth === 0) this.#valueEnds(NOTHING, 0);
    if (this.#state !== END || !this.#isTopScalarJson()) return { kind: 'not-json' };
    if (this.#options.shape === 'one') return { kind: 'whole', next: undefined };
    if (!this.#isList || this.#isRepeated) return { kind: 'not-a-list' };
    return this.#isPage ? this.#pageShape() : { kind: 'whole', next: undefined };
  }

  #pageShape(): AnswerShape {
    const page = this.#page.end();
    if (page.kind === 'refused') return { kind: 'not-a-list' };
    const next: unknown = Object.entries(page.json ?? {}).find(([name]) => name === 'next')?.[1] ?? undefined;
    return next === undefined || typeof next === 'string' ? { kind: 'whole', next } : { kind: 'not-a-list' };
  }

  #isTopScalarJson(): boolean {
    if (this.#topScalar === '') return true;
    try {
      JSON.parse(this.#topScalar);
      return true;
    } catch {
      return false;
    }
  }

  #readString(piece: Uint8Array, start: number): number {
    let at = start;
    if (this.#isEscaped) {
      this.#isEscaped = false;
      at += 1;
    }
    const { length } = piece;
    while (at < length) {
      const byte = piece[at];
      if (byte === QUOTE) {
        if (this.#isKey) this.#keyEnds(piece, at);
        else if (this.#nested > 0) this.#state = IN_NESTED;
        else this.#valueEnds(piece, at + 1);
        return at + 1;
      }
      if (byte === BACKSLASH) at += 1;
      at += 1;
    }
    this.#isEscaped = at > length;
    return length;
  }

  #readScalar(piece: Uint8Array, start: number): number {
    let at = start;
    while (at < piece.length && SCALAR_BYTES[piece[at] ?? 0] === 1) at += 1;
    if (this.#depth === 0) {
      this.#topScalar += Buffer.from(piece.subarray(start, at)).toString();
      if (this.#topScalar.length > MAX_TOP_SCALAR) return this.#fail(piece);
    }
    if (at < piece.length) this.#valueEnds(piece, at);
    return at;
  }

  #readToken(piece: Uint8Array, at: number): number {
    const byte = piece[at] ?? 0;
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) return at + 1;
    switch (this.#state) {
      case VALUE_OR_END:
        return byte === CLOSE_BRACKET ? this.#close(piece, at, byte) : this.#value(piece, at, byte);
      case VALUE:
        return this.#value(piece, at, byte);
      case KEY_OR_END:
        return byte === CLOSE_BRACE ? this.#close(piece, at, byte) : this.#key(piece, at, byte);
      case KEY:
        return this.#key(piece, at, byte);
      case COLON:
        this.#state = VALUE;
        return byte === 0x3a ? at + 1 : this.#fail(piece);
      case COMMA_OR_END:
        if (byte !== 0x2c) return this.#close(piece, at, byte);
        this.#state = this.#brackets[this.#depth - 1] === CLOSE_BRACE ? KEY : VALUE;
        return at + 1;
      default:
        return this.#fail(piece);
    }
  }

  /** Strings and brackets are enough to find the end of a value. */
  #readNested(piece: Uint8Array, start: number): number {
    let nested = this.#nested;
    for (let at = start; at < piece.length; at += 1) {
      const byte = piece[at];
      if (byte === QUOTE) {
        this.#nested = nested;
        this.#beginString(false);
        return at + 1;
      }
      if (byte === OPEN_BRACE || byte === OPEN_BRACKET) nested += 1;
      else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) {
        nested -= 1;
        if (nested > 0) continue;
        this.#nested = 0;
        this.#valueEnds(piece, at + 1);
        return at + 1;
      }
    }
    this.#nested = nested;
    return piece.length;
  }

  #value(piece: Uint8Array, at: number, byte: number): number {
    if (!this.#isStarted) {
      if (byte === BYTE_ORDER_MARK[this.#byteOrderMark]) {
        this.#byteOrderMark += 1;
        return at + 1;
      }
      if (this.#byteOrderMark % BYTE_ORDER_MARK.length > 0) return this.#fail(piece);
      this.#isStarted = true;
    }
    if (this.#opened !== undefined) {
      this.#taker = this.#opened;
      this.#opened = undefined;
      this.#from = at;
    }
    if (this.#depth === this.#itemDepth) this.#isObject = byte === OPEN_BRACE;
    if (byte === QUOTE) {
      this.#beginString(false);
      return at + 1;
    }
    if (byte === OPEN_BRACE || byte === OPEN_BRACKET) {
      if (byte === OPEN_BRACE ? this.#isItemOrPage() : this.#isItemList()) this.#open(byte);
      else {
        this.#nested = 1;
        this.#state = IN_NESTED;
      }
      return at + 1;
    }
    if (SCALAR_BYTES[byte] !== 1) return this.#fail(piece);
    this.#state = IN_SCALAR;
    return at;
  }

  /** Whether the object that begins is an item or a page. */
  #isItemOrPage(): boolean {
    if (this.#depth === this.#itemDepth) {
      this.#item.begin();
      return true;
    }
    if (this.#depth > 0) return false;
    this.#isPage = true;
    this.#page.begin();
    return true;
  }

  /** Whether the array that begins is the list of items. */
  #isItemList(): boolean {
    if (this.#options.shape === 'one') return false;
    if (this.#depth > 0 && !(this.#isPage && this.#depth === 1 && this.#isResults && !this.#isList))
      return false;
    this.#isList = true;
    this.#itemDepth = this.#depth + 1;
    return true;
  }

  #valueEnds(piece: Uint8Array, at: number): void {
    this.#state = this.#depth === 0 ? END : COMMA_OR_END;
    if (this.#taker !== undefined) {
      this.#taker.take(piece, this.#from, at);
      this.#taker.close();
      this.#taker = undefined;
    }
    if (this.#depth === this.#itemDepth) {
      const item = this.#isObject ? this.#item.end() : NOT_AN_OBJECT;
      this.#isEnough = !this.#options.onItem(item);
    }
  }

  #open(byte: number): void {
    this.#brackets[this.#depth] = byte === OPEN_BRACE ? CLOSE_BRACE : CLOSE_BRACKET;
    this.#depth += 1;
    this.#state = byte === OPEN_BRACE ? KEY_OR_END : VALUE_OR_END;
  }

  #close(piece: Uint8Array, at: number, byte: number): number {
    if (this.#depth === 0 || this.#brackets[this.#depth - 1] !== byte) return this.#fail(piece);
    this.#depth -= 1;
    if (this.#depth < this.#itemDepth) this.#itemDepth = -1;
    this.#valueEnds(piece, at + 1);
    return at + 1;
  }

  #beginString(isKey: boolean): void {
    this.#state = IN_STRING;
    this.#isKey = isKey;
  }

  #key(piece: Uint8Array, at: number, byte: number): number {
    if (byte !== QUOTE) return this.#fail(piece);
    this.#beginString(true);
    this.#keyTaker = this.#isPage && this.#depth === 1 ? this.#page : this.#item;
    this.#keyStart = undefined;
    if (this.#keyTaker === this.#page) this.#isResults = false;
    this.#from = at + 1;
    return at + 1;
  }

  /** Keeps the part of a key that is in this piece. */
  #keepKey(piece: Uint8Array): void {
    const before = this.#keyStart ?? new Uint8Array();
    this.#keyStart = Buffer.concat([before, piece.subarray(this.#from)]);
    if (this.#keyStart.length > MAX_NAME_BYTES) this.#keyTaker = undefined;
  }

  #keyEnds(piece: Uint8Array, at: number): void {
    this.#state = COLON;
    const taker = this.#keyTaker;
    if (taker === undefined) return;
    this.#keyTaker = undefined;
    let key = piece;
    let [from, to] = [this.#from, at];
    if (this.#keyStart !== undefined) {
      key = Buffer.concat([this.#keyStart, piece.subarray(0, at)]);
      [from, to] = [0, key.length];
    }
    if (taker === this.#page) {
      this.#isResults = readName(key, from, to) === 'results';
      this.#isRepeated ||= this.#isResults && this.#isList;
    }
    this.#opened = taker.open(key, from, to) ? taker : undefined;
  }

  #fail(piece: Uint8Array): number {
    this.#state = FAILED;
    this.#taker = undefined;
    this.#isEnough = true;
    return piece.length;
  }
}
