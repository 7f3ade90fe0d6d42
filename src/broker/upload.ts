import { Readable } from 'node:stream';

const CHUNK_BYTES = 64 * 1024;

/**
 * How much of a body the buffers of the system and the line may contain, whose progress cannot be seen. Measured: one of four
 * reports on a line of 32 kB/s stood still for 142 s, which is 1.1 MiB at its share.
 */
const MAX_BUFFERED_BYTES = 2 * 1024 * 1024;

/** How many bytes of a body may be in buffers after the last chunk was handed to the system. */
export function maxUnsentBytes(body: Buffer | undefined): number {
  return Math.min(body?.length ?? 0, MAX_BUFFERED_BYTES);
}

/** Splits a long body into chunks; calls `onChunk` whenever the system takes one. */
export function inChunks(body: Buffer, onChunk: () => void): Buffer | Readable {
  if (body.length <= CHUNK_BYTES) return body;
  let at = 0;
  return new Readable({
    highWaterMark: CHUNK_BYTES,
    read() {
      onChunk();
      const chunk = body.subarray(at, at + CHUNK_BYTES);
      at += CHUNK_BYTES;
      this.push(chunk.length === 0 ? null : chunk);
    },
  });
}
