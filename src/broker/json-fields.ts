/** How long a text may be on the wire, in bytes. */
export type FieldLimit = {
  /** A longer value is left out, as if it were missing. */
  readonly keep: number;
  /** A longer value makes the whole item invalid; by default no length does. */
  readonly refuse?: number;
};

/**
 * The fields that are kept of an item; all others are skipped. No field needs what is in an object or array, so those are
 * kept empty, and any other value that is no text makes the item invalid where it is longer than any number.
 */
export type Fields = Readonly<Record<string, FieldLimit>>;

/** One item of an answer. */
export type ProjectedItem =
  | {
      readonly kind: 'item';
      /** An object with the kept fields; null if the item is not an object. */
      readonly json: unknown;
      /** The fields that were left out because of their length, and that, in bytes. */
      readonly omitted: ReadonlyMap<string, number>;
      /** How much was kept of it, in bytes. */
      readonly bytes: number;
    }
  /** `uuid` is as the broker sent it, not validated. */
  | { readonly kind: 'refused'; readonly uuid: unknown; readonly reason: string };

const NOTHING_OMITTED: ReadonlyMap<string, number> = new Map();
const INITIAL_BYTES = 1_024;
/** Longer names do not match; the longest that is kept fits with all its characters escaped. */
export const MAX_NAME_BYTES = 256;
const MAX_NUMBER_BYTES = 512;
const COMMA = 0x2c;
const QUOTE = 0x22;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const EMPTY_OBJECT = Buffer.from('{}');
const EMPTY_ARRAY = Buffer.from('[]');
const NUMBER: FieldLimit = { keep: MAX_NUMBER_BYTES, refuse: MAX_NUMBER_BYTES };

/** A field that is kept. `prefix` is its name as JSON with the colon. */
type Kept = {
  readonly name: string;
  readonly limit: FieldLimit;
  readonly prefix: Buffer;
  /** Where it is in the buffer, with its name and comma; `end` is 0 while it is not. */
  start: number;
  end: number;
};

/** Collects the kept fields of one object after the other as JSON, and holds no more than the sum of their limits. */
export class FieldCapture {
  readonly #byLength: (Kept[] | undefined)[] = [];
  readonly #byName = new Map<string, Kept>();
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;
  #field: Kept | undefined;
  #fieldAt = 0;
  #valueBytes = 0;
  /** Of the current value, which depends on what it is. */
  #limit = NUMBER;
  #isEmptied = false;
  #omitted = NOTHING_OMITTED;
  #refusal: string | undefined;

  constructor(fields: Fields) {
    for (const [name, limit] of Object.entries(fields)) {
      const kept = { name, limit, prefix: Buffer.from(`${JSON.stringify(name)}:`), start: 0, end: 0 };
      (this.#byLength[kept.prefix.length - 3] ??= []).push(kept);
      this.#byName.set(name, kept);
    }
  }

  /** Why the object is invalid as far as it is known; undefined: it is not. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** How much is held of the current object, in bytes. */
  get heldBytes(): number {
    return this.#length;
  }

  /** Begins an object. */
  begin(): void {
    this.#bytes[0] = OPEN_BRACE;
    this.#length = 1;
    for (const kept of this.#byName.values()) kept.end = 0;
    this.#omitted = NOTHING_OMITTED;
    this.#refusal = undefined;
  }

  /** Begins the field with this name, given without its quotes; answers whether its value is kept. */
  open(source: Uint8Array, from: number, to: number): boolean {
    const kept = this.#find(source, from, to);
    if (kept === undefined) return false;
    if (this.#refusal !== undefined && (kept.name !== 'uuid' || kept.end > 0)) return false;
    this.#drop(kept);
    this.#field = kept;
    this.#fieldAt = this.#length;
    this.#valueBytes = 0;
    this.#append(kept.prefix, 0, kept.prefix.length);
    return true;
  }

  /** Takes a part of the field's value. */
  take(source: Uint8Array, from: number, to: number): void {
    if (this.#field === undefined || to <= from) return;
    if (this.#valueBytes === 0) this.#beginValue(this.#field, source[from]);
    if (this.#isEmptied) return;
    const { keep, refuse } = this.#limit;
    this.#valueBytes += to - from;
    if (this.#valueBytes <= keep) this.#append(source, from, to);
    else this.#length = this.#fieldAt;
    if (this.#valueBytes > (refuse ?? Number.POSITIVE_INFINITY))
      this.#refusal ??= `${this.#field.name}: longer than ${refuse} bytes`;
  }

  #beginValue({ limit }: Kept, firstByte: number | undefined): void {
    this.#limit = firstByte === QUOTE ? limit : NUMBER;
    this.#isEmptied = firstByte === OPEN_BRACE || firstByte === OPEN_BRACKET;
    if (!this.#isEmptied) return;
    const empty = firstByte === OPEN_BRACE ? EMPTY_OBJECT : EMPTY_ARRAY;
    this.#append(empty, 0, empty.length);
    this.#valueBytes = empty.length;
  }

  /** Forgets the earlier value of a field that is repeated: as for any parser, the last one counts. */
  #drop(field: Kept): void {
    if (this.#omitted.has(field.name)) {
      this.#omitted = new Map([...this.#omitted].filter(([name]) => name !== field.name));
    }
    if (field.end === 0) return;
    const bytes = field.end - field.start;
    this.#bytes.copyWithin(field.start, field.end, this.#length);
    this.#length -= bytes;
    for (const kept of this.#byName.values()) {
      if (kept.end <= field.end) continue;
      kept.start -= bytes;
      kept.end -= bytes;
    }
    field.end = 0;
  }

  /** Ends the field. */
  close(): void {
    const field = this.#field;
    if (field === undefined) return;
    this.#field = undefined;
    if (this.#valueBytes > this.#limit.keep) {
      this.#omitted = new Map(this.#omitted).set(field.name, this.#valueBytes);
      return;
    }
    this.#bytes[this.#length] = COMMA;
    this.#length += 1;
    field.start = this.#fieldAt;
    field.end = this.#length;
  }

  /** Ends the object. */
  end(): ProjectedItem {
    if (this.#refusal !== undefined) return this.#refused(this.#refusal);
    if (this.#length === 1) return { kind: 'item', json: {}, omitted: this.#omitted, bytes: 2 };
    const length = this.#length;
    this.#bytes[length - 1] = CLOSE_BRACE;
    try {
      const json: unknown = JSON.parse(this.#bytes.toString('utf8', 0, length));
      return { kind: 'item', json, omitted: this.#omitted, bytes: length };
    } catch {
      return this.#refused('not JSON');
    }
  }

  #refused(reason: string): ProjectedItem {
    return { kind: 'refused', uuid: this.#uuid(), reason };
  }

  #uuid(): unknown {
    const kept = this.#byName.get('uuid');
    if (kept === undefined || kept.end === 0) return undefined;
    try {
      return JSON.parse(this.#bytes.toString('utf8', kept.start + kept.prefix.length, kept.end - 1));
    } catch {
      return undefined;
    }
  }

  #find(source: Uint8Array, from: number, to: number): Kept | undefined {
    const candidates = this.#byLength[to - from];
    if (candidates !== undefined) {
      for (const kept of candidates) if (isSame(kept.prefix, source, from, to)) return kept;
    }
    if (to - from > MAX_NAME_BYTES) return undefined;
    return source.subarray(from, to).includes(BACKSLASH) ? this.#findEscaped(source, from, to) : undefined;
  }

  #findEscaped(source: Uint8Array, from: number, to: number): Kept | undefined {
    const name = readName(source, from, to);
    return name === undefined ? undefined : this.#byName.get(name);
  }

  #append(source: Uint8Array, from: number, to: number): void {
    const length = this.#length + to - from;
    // With room for the comma or bracket after a value.
    if (length + 1 > this.#bytes.length) this.#grow(length + 1);
    if (to - from > 32) this.#bytes.set(source.subarray(from, to), this.#length);
    else for (let i = from; i < to; i += 1) this.#bytes[this.#length + i - from] = source[i] ?? 0;
    this.#length = length;
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafe(Math.max(bytes, 2 * this.#bytes.length));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
  }
}

/** A name that is given without its quotes, as JSON.parse reads it; undefined: it is no JSON, or too long to be wanted. */
export function readName(source: Uint8Array, from: number, to: number): string | undefined {
  if (to - from > MAX_NAME_BYTES) return undefined;
  try {
    const name: unknown = JSON.parse(`"${Buffer.from(source.subarray(from, to)).toString()}"`);
    return typeof name === 'string' ? name : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the name in `prefix`, which begins with a quote, is this one of the same length. */
function isSame(prefix: Buffer, source: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (prefix[i - from + 1] !== source[i]) return false;
  return true;
}
