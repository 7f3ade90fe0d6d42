/** Keeps the first and the last bytes of a stream of any length, and forgets the middle. */
export class HeadTail {
  readonly #half: number;
  #head: Buffer | undefined;
  #tail: Buffer | undefined;
  #total = 0;

  /** `limit`: how many bytes of UTF-8 `text` may have, half of them from the beginning. */
  constructor(limit: number) {
    this.#half = Math.floor(limit / 2);
  }

  /** The bytes are copied. */
  write(bytes: Uint8Array): void {
    let rest = bytes;
    if (this.#total < this.#half) {
      this.#head ??= Buffer.allocUnsafeSlow(this.#half);
      const taken = rest.subarray(0, this.#half - this.#total);
      this.#head.set(taken, this.#total);
      this.#total += taken.length;
      rest = rest.subarray(taken.length);
    }
    if (rest.length > 0) this.#writeTail(rest);
  }

  /** The text: whole where it fits, else its beginning and end with a line between them that says what is missing. */
  text(): string {
    let head = this.#head?.subarray(0, Math.min(this.#total, this.#half)) ?? Buffer.alloc(0);
    let tail = this.#tailInOrder();
    if (this.#total === head.length + tail.length) {
      const whole = Buffer.concat([head, tail]);
      const text = whole.toString();
      if (Buffer.byteLength(text) <= 2 * this.#half) return text;
      head = tail = whole;
    }
    const room = this.#half - ROOM_FOR_NOTE / 2;
    const begin = wholeCharacters(longest(room, head.length, (length) => head.subarray(0, length)));
    const rest = tail === head ? tail.subarray(begin.length) : tail;
    const end = wholeStart(longest(room, rest.length, (length) => rest.subarray(rest.length - length)));
    const missing = this.#total - begin.length - end.length;
    const text = begin.toString();
    const gap = text === '' || text.endsWith('\n') ? '' : '\n';
    return `${text}${gap}[sharedcloud-agent] ${missing} bytes are left out here\n${end.toString()}`;
  }

  /** The tail is a ring: byte n of the stream lies at (n - half) modulo half. */
  #writeTail(bytes: Uint8Array): void {
    this.#tail ??= Buffer.allocUnsafeSlow(this.#half);
    const kept = bytes.subarray(Math.max(0, bytes.length - this.#half));
    const at = (this.#total + bytes.length - kept.length) % this.#half;
    const first = kept.subarray(0, this.#half - at);
    this.#tail.set(first, at);
    this.#tail.set(kept.subarray(first.length), 0);
    this.#total += bytes.length;
  }

  #tailInOrder(): Buffer {
    const tail = this.#tail;
    if (tail === undefined) return Buffer.alloc(0);
    const at = this.#total % this.#half;
    if (this.#total < 2 * this.#half) return tail.subarray(0, at);
    return Buffer.concat([tail.subarray(at), tail.subarray(0, at)]);
  }
}

/** Bytes that the line about the missing bytes may take, with what is cut off at characters' edges. */
const ROOM_FOR_NOTE = 128;

/** The longest cut, of at most `most` bytes, whose text fits into `room`: a byte that is no UTF-8 becomes three. */
function longest(room: number, most: number, cut: (length: number) => Buffer): Buffer {
  let fits = 0;
  let tooMany = Math.min(most, room) + 1;
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (Buffer.byteLength(cut(middle).toString()) <= room) fits = middle;
    else tooMany = middle;
  }
  return cut(fits);
}

/** The bytes without a character that is cut off at their end. */
function wholeCharacters(bytes: Buffer): Buffer {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back] ?? 0;
    const isStart = (byte & 0xc0) !== 0x80;
    if (isStart) return lengthOfCharacter(byte) > back ? bytes.subarray(0, length - back) : bytes;
  }
  return bytes;
}

/** How many bytes of UTF-8 a character has that begins with this one. */
function lengthOfCharacter(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

/** The bytes without a character whose start is cut off. */
function wholeStart(bytes: Buffer): Buffer {
  let at = 0;
  while (at < 3 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return bytes.subarray(at);
}
