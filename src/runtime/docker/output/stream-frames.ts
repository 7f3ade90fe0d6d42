import { AgentError } from '../../../domain/errors.ts';
import type { OutputStream } from '../../../domain/ports/runtime.ts';
import { LIMITS } from '../../../limits.ts';

/** One message of a container's output as the engine sends it. */
export type StreamFrame = { readonly stream: OutputStream; readonly bytes: Buffer };

const HEADER_BYTES = 8;

/**
 * Splits the engine's multiplexed stdout and stderr into frames: a header (stream number, three zero bytes, length as 32
 * bits big-endian), then the bytes. Buffers at most one frame. Throws RUNTIME_FAILED for any other format, and for an
 * error that the engine reports in the stream.
 */
export class StreamFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and calls `onFrame` for each frame that is complete. */
  push(chunk: Uint8Array, onFrame: (frame: StreamFrame) => void): void {
    const arrived = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const data = this.#rest.length === 0 ? arrived : Buffer.concat([this.#rest, arrived]);
    let at = 0;
    while (data.length - at >= HEADER_BYTES) {
      const length = data.readUInt32BE(at + 4);
      if (length > LIMITS.job.frame.max) throw unreadable('a frame is too long');
      const end = at + HEADER_BYTES + length;
      if (end > data.length) break;
      const bytes = data.subarray(at + HEADER_BYTES, end);
      onFrame({ stream: streamOf(data.readUInt8(at), bytes), bytes });
      at = end;
    }
    this.#rest = Buffer.from(data.subarray(at));
  }

  /** Whether the stream has ended between two frames. */
  get whole(): boolean {
    return this.#rest.length === 0;
  }
}

function streamOf(kind: number, bytes: Buffer): OutputStream {
  if (kind === 3) throw unreadable(bytes.toString('utf8', 0, 500));
  if (kind !== 1 && kind !== 2) throw unreadable('a frame has an unknown stream number');
  return kind === 1 ? 'stdout' : 'stderr';
}

/** One message of a container's log. The engine cuts output into lines, and long lines into pieces of 16 KiB. */
export type LogFrame = {
  readonly stream: OutputStream;
  /** The engine's timestamp, RFC 3339 with nine digits. The pieces of one line share it. */
  readonly timestamp: string;
  readonly bytes: Uint8Array;
};

const MAX_TIMESTAMP_BYTES = 40;
const SPACE = 0x20;

/**
 * Reads a frame of `GET /containers/<id>/logs?timestamps=true`: a timestamp, a space, and the container's bytes.
 * Throws RUNTIME_FAILED without a timestamp.
 */
export function readLogFrame({ bytes, stream }: StreamFrame): LogFrame {
  const space = bytes.subarray(0, MAX_TIMESTAMP_BYTES).indexOf(SPACE);
  if (space < 0) throw unreadable('a frame has no timestamp');
  return { stream, timestamp: bytes.toString('latin1', 0, space), bytes: bytes.subarray(space + 1) };
}

function unreadable(why: string): AgentError {
  return new AgentError('RUNTIME_FAILED', `the container's output cannot be read: ${why}`);
}
