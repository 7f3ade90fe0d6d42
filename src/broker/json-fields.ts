/** How long a field may be on the wire, in bytes. */
export type FieldLimit = {
  /** A longer value is left out, as if it were missing. */
  readonly keep: number;
  /** A longer value makes the whole item invalid; by default no length does. */
  readonly refuse?: number;
};

/** The fields that are kept of an item; all others are skipped. */
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
const COMMA = 0x2c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const BACKSLASH = 0x5c;

/** A field that is kept. `prefix` is its name as JSON with the colon. */
type Kept = { readonly name: string; readonly limit: FieldLimit; readonly prefix: Buffer };

/** Collects the kept fields of one object after the other as JSON, in a buffer of bounded size. */
export class FieldCapture {
  readonly #byLength: (Kept[] | undefined)[] = [];
  readonly #byName = new Map<string, Kept>();
  /** A field that is repeated counts each time, up to this. */
  readonly #maxBytes: number;
  #bytes = Buffer.allocUnsafe(INITIAL_BYTES);
  #length = 0;
  #field: Kept | undefined;
  #fieldAt = 0;
  #valueBytes = 0;
  #uuidAt = 0;
  #uuidEnd = 0;
  #omitted = NOTHING_OMITTED;
  #refusal: string | undefined;

  constructor(fields: Fields) {
    let sum = 0;
    for (const [name, limit] of Object.entries(fields)) {
      const kept = { name, limit, prefix: Buffer.from(`${JSON.stringify(name)}:`) };
      (this.#byLength[kept.prefix.length - 3] ??= []).push(kept);
      this.#byName.set(name, kept);
      sum += kept.prefix.length + limit.keep + 1;
    }
    this.#maxBytes = 2 * sum + 2;
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
    this.#uuidEnd = 0;
    this.#omitted = NOTHING_OMITTED;
    this.#refusal = undefined;
  }

  /** Begins the field with this name, given without its quotes; answers whether its value is kept. */
  open(source: Uint8Array, from: number, to: number): boolean {
    const kept = this.#find(source, from, to);
    if (kept === undefined) return false;
    if (this.#length > this.#maxBytes) this.#refusal ??= `more than ${this.#maxBytes} bytes`;
    if (this.#refusal !== undefined && (kept.name !== 'uuid' || this.#uuidEnd > 0)) return false;
    this.#field = kept;
    this.#fieldAt = this.#length;
    this.#valueBytes = 0;
    this.#append(kept.prefix, 0, kept.prefix.length);
    return true;
  }

  /** Takes a part of the field's value. */
  take(source: Uint8Array, from: number, to: number): void {
    if (this.#field === undefined || to <= from) return;
    const { limit, name } = this.#field;
    this.#valueBytes += to - from;
    if (this.#valueBytes <= limit.keep) this.#append(source, from, to);
    else this.#length = this.#fieldAt;
    if (this.#valueBytes > (limit.refuse ?? Number.POSITIVE_INFINITY))
      this.#refusal ??= `${name}: longer than ${limit.refuse} bytes`;
  }

  /** Ends the field. */
  close(): void {
    const field = this.#field;
    if (field === undefined) return;
    this.#field = undefined;
    const { limit, name } = field;
    if (this.#valueBytes > limit.keep) {
      this.#omitted = new Map(this.#omitted).set(name, this.#valueBytes);
      return;
    }
    if (name === 'uuid') {
      this.#uuidAt = this.#fieldAt + field.prefix.length;
      this.#uuidEnd = this.#length;
    }
    this.#bytes[this.#length] = COMMA;
    this.#length += 1;
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
    try {
      return JSON.parse(this.#bytes.toString('utf8', this.#uuidAt, this.#uuidEnd));
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
    try {
      const name: unknown = JSON.parse(`"${Buffer.from(source.subarray(from, to)).toString()}"`);
      return typeof name === 'string' ? this.#byName.get(name) : undefined;
    } catch {
      return undefined;
    }
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

/** Whether the name in `prefix`, which begins with a quote, is this one of the same length. */
function isSame(prefix: Buffer, source: Uint8Array, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (prefix[i - from + 1] !== source[i]) return false;
  return true;
}
