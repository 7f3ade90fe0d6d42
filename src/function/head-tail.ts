/** Keeps the first and last bytes of a stream of any length. */
export class HeadTail {
  readonly #half: number;
  #head: Buffer | undefined;
  #tail: Buffer | undefined;
  #total = 0;

  /** `limit`: the most bytes of UTF-8 of `text`, half of them from the beginning. */
  constructor(limit: number) {
    this.#half = Math.floor(limit / 2);
  }

  /** Copies the bytes. */
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

  /** The whole text if it fits, else its beginning and end with a line in between that counts the missing bytes. */
  text(): string {
    let head = this.#head?.subarray(0, Math.min(this.#total, this.#half)) ?? Buffer.alloc(0);
    let tail = this.#tailInOrder();
    if (this.#total === head.length + tail.length) {
      const whole = Buffer.concat([head, tail]);
      const text = whole.toString();
      if (Buffer.byteLength(text) <= 2 * this.#half) return text;
      head = tail = whole;
    }
    const room = this.#half - NOTE_BYTES / 2;
    const begin = withoutCutEnd(longest(room, head.length, (length) => head.subarray(0, length)));
    const rest = tail === head ? tail.subarray(begin.length) : tail;
    const end = withoutCutStart(longest(room, rest.length, (length) => rest.subarray(rest.length - length)));
    const missing = this.#total - begin.length - end.length;
    const text = begin.toString();
    const gap = text === '' || text.endsWith('\n') ? '' : '\n';
    return `${text}${gap}[sharedcloud-agent] ${missing} bytes are left out here\n${end.toString()}`;
  }

  /** The tail is a ring buffer: byte n of the stream is at (n - half) modulo half. */
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

/** Room for the line that counts the missing bytes, and for cut characters. */
const NOTE_BYTES = 128;

/** The longest cut of at most `max` bytes whose text fits into `room`; an invalid byte becomes three in UTF-8. */
function longest(room: number, max: number, cut: (length: number) => Buffer): Buffer {
  let fits = 0;
  let tooMany = Math.min(max, room) + 1;
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (Buffer.byteLength(cut(middle).toString()) <= room) fits = middle;
    else tooMany = middle;
  }
  return cut(fits);
}

/** The bytes without an incomplete character at the end. */
function withoutCutEnd(bytes: Buffer): Buffer {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back] ?? 0;
    const isStart = (byte & 0xc0) !== 0x80;
    if (isStart) return lengthOfCharacter(byte) > back ? bytes.subarray(0, length - back) : bytes;
  }
  return bytes;
}

/** The bytes of a UTF-8 character by its first byte. */
function lengthOfCharacter(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

/** The bytes without an incomplete character at the start. */
function withoutCutStart(bytes: Buffer): Buffer {
  let at = 0;
  while (at < 3 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return bytes.subarray(at);
}
