import { LIMITS } from '../limits.ts';

/**
 * A loader writes a result to stdout in records, between anything that the job prints:
 *
 *     \x1e<nonce>:<number>:<base64>\x1e\n      a part, numbered from 0
 *     \x1e<nonce>:end:<number of parts>\x1e\n  the end
 *
 * A record is shorter than PIPE_BUF, so that the kernel writes it atomically between the output of other threads and
 * processes. Records without the job's nonce are output.
 */
const MARK = 0x1e;
const NEWLINE = 0x0a;

const NOTHING = Buffer.alloc(0);

type Found = 'none' | 'undecided' | { readonly name: string; readonly body: string; readonly end: number };

/** Extracts the records from a stream in chunks. Buffers at most one record. */
export class FrameScanner {
  readonly #opening: Buffer;
  readonly #print: (bytes: Buffer) => void;
  readonly #record: (name: string, body: string) => void;
  #pending: Buffer = NOTHING;

  /** `print` gets everything outside of records, in order; `record` gets the two fields of each record. */
  constructor(nonce: string, print: (bytes: Buffer) => void, record: (name: string, body: string) => void) {
    this.#opening = Buffer.from(`\x1e${nonce}:`);
    this.#print = print;
    this.#record = record;
  }

  /** Does not keep the chunk; the caller may reuse it. */
  write(chunk: Uint8Array): void {
    const added = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const data = this.#pending.length === 0 ? added : Buffer.concat([this.#pending, added]);
    // Copied, because the chunk is the caller's.
    this.#pending = Buffer.from(this.#take(data, false));
  }

  /** Prints what is buffered. */
  end(): void {
    this.#print(this.#take(this.#pending, true));
    this.#pending = NOTHING;
  }

  /** Handles all complete records and returns the rest, which may begin one. */
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
   * The record whose opening is at `start`. Its newline may be missing, because the `local` log driver of Docker 20.10 loses
   * that of a line longer than 16 KiB, and the job may have begun the line.
   */
  #read(data: Buffer, start: number, last: boolean): Found {
    const body = start + this.#opening.length;
    const close = data.subarray(body, start + LIMITS.job.record.max).indexOf(MARK) + body;
    const unclosed = close < body;
    const after = data[close + 1];
    if (!last && (unclosed ? data.length - start < LIMITS.job.record.max : after === undefined))
      return 'undecided';
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

  /** The offset of an incomplete opening at the end, or the end. */
  #undecidedFrom(data: Buffer, from: number): number {
    const first = Math.max(from, data.length - this.#opening.length + 1);
    for (let at = data.indexOf(MARK, first); at >= 0; at = data.indexOf(MARK, at + 1)) {
      if (data.subarray(at).equals(this.#opening.subarray(0, data.length - at))) return at;
    }
    return data.length;
  }
}

/** Assembles a result from its records; the last complete one counts. */
export class ResultAssembler {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #size = 0;
  #complete: Buffer | undefined;

  /** A result of more than `limit` bytes is dropped, to bound our memory. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  record(name: string, body: string): void {
    if (name === 'end') {
      if (Number(body) === this.#parts.length) this.#complete = Buffer.concat(this.#parts);
      this.#reset();
      return;
    }
    if (name === '0') this.#reset();
    const part = Buffer.from(body, 'base64');
    if (Number(name) !== this.#parts.length || this.#size + part.length > this.#limit) return;
    this.#parts.push(part);
    this.#size += part.length;
  }

  /** The result as text; undefined: none. */
  result(): string | undefined {
    return this.#complete?.toString();
  }

  #reset(): void {
    this.#parts = [];
    this.#size = 0;
  }
}
