import { AgentError } from '../../../domain/errors.ts';
import type { OutputStream } from '../../../domain/ports/runtime.ts';

/** One message of a container's output as the engine hands it on. */
export type StreamFrame = { readonly stream: OutputStream; readonly bytes: Buffer };

const HEADER_BYTES = 8;
/** Far above what engines send: a longer frame means that the stream is none. */
const MOST_FRAME_BYTES = 16 * 1024 * 1024;

/**
 * Takes apart what the engine sends of a container's stdout and stderr: frames of a header (stream number, three zero
 * bytes, length as 32 bits big-endian) and bytes. Keeps at most one frame. Throws RUNTIME_FAILED where the stream has
 * another form or the engine reports an error.
 */
export class StreamFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** Takes the next bytes and hands on each frame that is whole now. */
  push(chunk: Uint8Array, take: (frame: StreamFrame) => void): void {
    const arrived = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const data = this.#rest.length === 0 ? arrived : Buffer.concat([this.#rest, arrived]);
    let at = 0;
    while (data.length - at >= HEADER_BYTES) {
      const length = data.readUInt32BE(at + 4);
      if (length > MOST_FRAME_BYTES) throw unreadable('a frame is too long');
      const end = at + HEADER_BYTES + length;
      if (end > data.length) break;
      const bytes = data.subarray(at + HEADER_BYTES, end);
      take({ stream: streamOf(data.readUInt8(at), bytes), bytes });
      at = end;
    }
    this.#rest = Buffer.from(data.subarray(at));
  }

  /** Whether the stream ended between two frames. */
  get whole(): boolean {
    return this.#rest.length === 0;
  }
}

function streamOf(kind: number, bytes: Buffer): OutputStream {
  if (kind === 3) throw unreadable(bytes.toString('utf8', 0, 500));
  if (kind !== 1 && kind !== 2) throw unreadable('a frame belongs to no known stream');
  return kind === 1 ? 'stdout' : 'stderr';
}

/** RUNTIME_FAILED: what the engine sends is no container's output. */
export function unreadable(why: string): AgentError {
  return new AgentError('RUNTIME_FAILED', `the container's output cannot be read: ${why}`);
}
