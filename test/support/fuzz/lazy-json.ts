/** JSON text that is made while it is sent, because some of it is larger than a test should hold. */
export class Lazy {
  readonly pieces: () => Iterable<string>;

  constructor(pieces: () => Iterable<string>) {
    this.pieces = pieces;
  }
}

const PIECE = 64 * 1024;

/** This text as it is, whether it is JSON or not. */
export function raw(text: string): Lazy {
  return new Lazy(() => [text]);
}

/** A string of so many bytes. */
export function longText(bytes: number, of = 'x'): Lazy {
  return new Lazy(function* () {
    yield '"';
    yield* repeated(of, bytes);
    yield '"';
  });
}

/** `text` again and again, until there are `bytes` of it; the last one may be cut. */
export function* repeated(text: string, bytes: number): Iterable<string> {
  const piece = text.repeat(Math.ceil(PIECE / text.length));
  let left = bytes;
  for (; left >= piece.length; left -= piece.length) yield piece;
  yield piece.slice(0, left);
}

/** A list of so many items, each of them JSON text; `before` are values that come first. */
export function manyItems(count: number, item: (n: number) => string, before: readonly unknown[] = []): Lazy {
  return new Lazy(function* () {
    yield '[';
    let isFirst = true;
    for (const value of before) {
      if (!isFirst) yield ',';
      isFirst = false;
      yield* piecesOf(value);
    }
    let piece = '';
    for (let n = 0; n < count; n += 1) {
      piece += isFirst ? item(n) : `,${item(n)}`;
      isFirst = false;
      if (piece.length < PIECE) continue;
      yield piece;
      piece = '';
    }
    yield `${piece}]`;
  });
}

/** Lists or objects in each other, so many deep. */
export function nested(depth: number, [open, close]: readonly [string, string] = ['[', ']']): Lazy {
  return new Lazy(function* () {
    yield* repeated(open, depth * open.length);
    if (open !== '[') yield 'null';
    yield* repeated(close, depth * close.length);
  });
}

/** An object with each key twice, first with another value. */
export function twiceEachKey(object: Readonly<Record<string, unknown>>, other: unknown): Lazy {
  return new Lazy(function* () {
    let separator = '{';
    for (const [key, value] of Object.entries(object)) {
      yield `${separator}${JSON.stringify(key)}:`;
      yield* piecesOf(other);
      yield `,${JSON.stringify(key)}:`;
      yield* piecesOf(value);
      separator = ',';
    }
    yield separator === '{' ? '{}' : '}';
  });
}

/** A value, in which there may be lazy ones, as JSON. */
export function* piecesOf(value: unknown): Iterable<string> {
  if (value instanceof Lazy) yield* value.pieces();
  else if (Array.isArray(value)) {
    yield '[';
    for (const [index, item] of value.entries()) {
      if (index > 0) yield ',';
      yield* piecesOf(item);
    }
    yield ']';
  } else if (isFields(value)) {
    let separator = '{';
    for (const [key, member] of Object.entries(value)) {
      yield `${separator}${JSON.stringify(key)}:`;
      yield* piecesOf(member);
      separator = ',';
    }
    yield separator === '{' ? '{}' : '}';
  } else yield JSON.stringify(value) ?? 'null';
}

/** Whether it is a JSON object. */
export function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Lazy);
}

/** Whether it is a JSON list. */
export function isItems(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}
