import { AgentError } from '../../domain/errors.ts';
import type { OutputStream } from '../../domain/ports.ts';

/** One message of a container's log: the engine cuts output into lines, and long lines into pieces of 16 KiB. */
export type LogFrame = {
  readonly stream: OutputStream;
  /** The engine's time of it, RFC 3339 with nine digits; pieces of one line have the same. */
  readonly stamp: string;
  readonly bytes: Uint8Array;
};

const HEADER_BYTES = 8;
/** Far above the engine's 16 KiB: a longer frame means that the stream is none. */
const MOST_FRAME_BYTES = 16 * 1024 * 1024;
const LONGEST_STAMP = 40;
const SPACE = 0x20;

/**
 * Takes apart what `GET /containers/<id>/logs?timestamps=true` sends: frames of a header (stream number, three
 * zero bytes, length as 32 bits big-endian), then the time, a space, and the bytes that the container wrote.
 * Keeps at most one frame. Throws RUNTIME_FAILED where the stream has another form or the engine reports an error.
 */
export class LogFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and hands on each frame that is whole now. */
  push(chunk: Uint8Array, take: (frame: LogFrame) => void): void {
    const arrived = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const data = this.#rest.length === 0 ? arrived : Buffer.concat([this.#rest, arrived]);
    let at = 0;
    while (data.length - at >= HEADER_BYTES) {
      const length = data.readUInt32BE(at + 4);
      if (length > MOST_FRAME_BYTES) throw broken('a frame is too long');
      const end = at + HEADER_BYTES + length;
      if (end > data.length) break;
      take(readFrame(data.readUInt8(at), data.subarray(at + HEADER_BYTES, end)));
      at = end;
    }
    this.#rest = Buffer.from(data.subarray(at));
  }

  /** Whether the stream ended between two frames. */
  get whole(): boolean {
    return this.#rest.length === 0;
  }
}

function readFrame(kind: number, body: Buffer): LogFrame {
  if (kind === 3) throw broken(body.toString('utf8', 0, 500));
  if (kind !== 1 && kind !== 2) throw broken('a frame belongs to no known stream');
  const space = body.subarray(0, LONGEST_STAMP).indexOf(SPACE);
  if (space < 0) throw broken('a frame has no time');
  return {
    stream: kind === 1 ? 'stdout' : 'stderr',
    stamp: body.toString('latin1', 0, space),
    bytes: body.subarray(space + 1),
  };
}

function broken(why: string): AgentError {
  return new AgentError('RUNTIME_FAILED', `the container's output cannot be read: ${why}`);
}
