/**
 * A result comes through stdout in records, whatever the job prints around them:
 *
 *     \x1e<nonce>:<number>:<base64>\x1e\n      a part, numbered from 0
 *     \x1e<nonce>:end:<number of parts>\x1e\n  all of it is there
 *
 * Each is below PIPE_BUF (4096 bytes), which the kernel writes in one piece, so that no thread or child process
 * of the job can print into the middle of one. The nonce is the job's own; records without it are mere output.
 */
const LONGEST_RECORD = 4096;
const MARK = 0x1e;
const NEWLINE = 0x0a;

const NOTHING = Buffer.alloc(0);

type Found = 'none' | 'undecided' | { readonly name: string; readonly body: string; readonly end: number };

/** Takes the records out of a stream that comes in chunks cut anywhere. Keeps at most one record's bytes back. */
export class FrameScanner {
  readonly #opening: Buffer;
  readonly #print: (bytes: Buffer) => void;
  readonly #record: (name: string, body: string) => void;
  #pending: Buffer = NOTHING;

  /** `print` gets all that is no record, in order; `record` each record's two fields. */
  constructor(nonce: string, print: (bytes: Buffer) => void, record: (name: string, body: string) => void) {
    this.#opening = Buffer.from(`\x1e${nonce}:`);
    this.#print = print;
    this.#record = record;
  }

  /** The chunk is not kept: whoever gave it may use it again. */
  write(chunk: Uint8Array): void {
    const fresh = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const data = this.#pending.length === 0 ? fresh : Buffer.concat([this.#pending, fresh]);
    // A copy: what is left may lie in a chunk that is not ours.
    this.#pending = Buffer.from(this.#take(data, false));
  }

  /** Hands on what was kept back. */
  end(): void {
    this.#print(this.#take(this.#pending, true));
    this.#pending = NOTHING;
  }

  /** Hands on all that is decided, and answers the rest. */
  #take(data: Buffer, last: boolean): Buffer {
    let done = 0;
    let from = 0;
    for (;;) {
      const start = data.indexOf(this.#opening, from);
      if (start < 0) break;
      const found = this.#read(data, start, last);
      if (found === 'undecided') return this.#printUpTo(data, done, start);
      if (found === 'none') {
        from = start + 1;
        continue;
      }
      this.#printUpTo(data, done, start);
      this.#record(found.name, found.body);
      done = from = found.end;
    }
    return this.#printUpTo(data, done, last ? data.length : this.#undecidedFrom(data, from));
  }

  /**
   * The record whose opening is at `start`. Its newline may be missing: the `local` log driver of Docker 20.10
   * loses that of a line longer than 16 KiB, and a record is part of whatever line the job left unfinished.
   */
  #read(data: Buffer, start: number, last: boolean): Found {
    const body = start + this.#opening.length;
    const close = data.subarray(body, start + LONGEST_RECORD).indexOf(MARK) + body;
    const unclosed = close < body;
    const after = data[close + 1];
    if (!last && (unclosed ? data.length - start < LONGEST_RECORD : after === undefined)) return 'undecided';
    if (unclosed) return 'none';
    const fields = /^(\d{1,4}|end):([\w+/=]*)$/.exec(data.toString('latin1', body, close));
    const [, name, content] = fields ?? [];
    if (name === undefined || content === undefined) return 'none';
    return { name, body: content, end: close + (after === NEWLINE ? 2 : 1) };
  }

  #printUpTo(data: Buffer, from: number, to: number): Buffer {
    if (to > from) this.#print(data.subarray(from, to));
    return data.subarray(to);
  }

  /** Where an opening may begin whose rest has not come yet. */
  #undecidedFrom(data: Buffer, from: number): number {
    const least = Math.max(from, data.length - this.#opening.length + 1);
    for (let at = data.indexOf(MARK, least); at >= 0; at = data.indexOf(MARK, at + 1)) {
      if (data.subarray(at).equals(this.#opening.subarray(0, data.length - at))) return at;
    }
    return data.length;
  }
}

/** Puts a result together from its records; the last whole one counts. */
export class ResultAssembler {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #size = 0;
  #whole: Buffer | undefined;

  /** A result of more than `limit` bytes is dropped, so that nothing that a job prints can fill our memory. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  record(name: string, body: string): void {
    if (name === 'end') {
      if (Number(body) === this.#parts.length) this.#whole = Buffer.concat(this.#parts);
      this.#begin();
      return;
    }
    if (name === '0') this.#begin();
    const part = Buffer.from(body, 'base64');
    if (Number(name) !== this.#parts.length || this.#size + part.length > this.#limit) return;
    this.#parts.push(part);
    this.#size += part.length;
  }

  /** The result as text, or undefined where none came. */
  result(): string | undefined {
    return this.#whole?.toString();
  }

  #begin(): void {
    this.#parts = [];
    this.#size = 0;
  }
}
