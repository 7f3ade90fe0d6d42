import type { OutputStream } from '../../../domain/ports/runtime.ts';
import { type StreamFrame, unreadable } from './stream-frames.ts';

/** One message of a container's log: the engine cuts output into lines, and long lines into pieces of 16 KiB. */
export type LogFrame = {
  readonly stream: OutputStream;
  /** The engine's time of it, RFC 3339 with nine digits; pieces of one line have the same. */
  readonly stamp: string;
  readonly bytes: Uint8Array;
};

const LONGEST_STAMP = 40;
const SPACE = 0x20;

/**
 * A frame of `GET /containers/<id>/logs?timestamps=true`: the time, a space, and the bytes that the container wrote.
 * Throws RUNTIME_FAILED where there is no time.
 */
export function readLogFrame({ bytes, stream }: StreamFrame): LogFrame {
  const space = bytes.subarray(0, LONGEST_STAMP).indexOf(SPACE);
  if (space < 0) throw unreadable('a frame has no time');
  return { stream, stamp: bytes.toString('latin1', 0, space), bytes: bytes.subarray(space + 1) };
}
