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
    const head = this.#head?.subarray(0, Math.min(this.#total, this.#half)) ?? Buffer.alloc(0);
    const tail = this.#tailInOrder();
    if (this.#total === head.length + tail.length) {
      const whole = Buffer.concat([head, tail]).toString();
      if (Buffer.byteLength(whole) <= 2 * this.#half) return whole;
    }
    const room = this.#half - ROOM_FOR_NOTE / 2;
    const first = head.subarray(
      0,
      longest(head.length, room, (length) => head.subarray(0, length)),
    );
    const start = wholeCharacters(first);
    const begin = first.subarray(0, start).toString();
    const ending = tail.subarray(
      tail.length - longest(tail.length, room, (length) => tail.subarray(tail.length - length)),
    );
    const close = ending.subarray(brokenStart(ending));
    const missing = this.#total - start - close.length;
    const gap = begin === '' || begin.endsWith('\n') ? '' : '\n';
    return `${begin}${gap}[sharedcloud-agent] ${missing} bytes are left out here\n${close.toString()}`;
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

/**
 * The greatest number of bytes, at most `most`, whose text has at most `room` bytes: a byte that is no UTF-8
 * becomes three.
 */
function longest(most: number, room: number, cut: (length: number) => Buffer): number {
  let fits = 0;
  let tooMany = Math.min(most, room) + 1;
  while (tooMany - fits > 1) {
    const middle = (fits + tooMany) >> 1;
    if (Buffer.byteLength(cut(middle).toString()) <= room) fits = middle;
    else tooMany = middle;
  }
  return fits;
}

/** How many bytes are left when a character that is cut off at the end goes. */
function wholeCharacters(bytes: Buffer): number {
  const { length } = bytes;
  for (let back = 1; back <= Math.min(3, length); back++) {
    const byte = bytes[length - back] ?? 0;
    const isStart = (byte & 0xc0) !== 0x80;
    if (isStart) return bytesOfCharacter(byte) > back ? length - back : length;
  }
  return length;
}

/** How long the UTF-8 of a character is that begins with this byte. */
function bytesOfCharacter(first: number): number {
  if (first >= 0xf0) return 4;
  if (first >= 0xe0) return 3;
  return first >= 0xc0 ? 2 : 1;
}

/** How many bytes at the beginning belong to a character whose start is cut off. */
function brokenStart(bytes: Buffer): number {
  let at = 0;
  while (at < 3 && at < bytes.length && ((bytes[at] ?? 0) & 0xc0) === 0x80) at++;
  return at;
}
