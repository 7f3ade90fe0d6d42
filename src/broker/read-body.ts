import { setImmediate } from 'node:timers/promises';
import type { Dispatcher } from '../http-client/undici.ts';
import type { OneAtATime } from '../lib/one-at-a-time.ts';
import { LIMITS } from '../limits.ts';

/** Takes the body of an answer piece by piece. */
export interface BodySink {
  /** Answers whether more is wanted. What it throws ends the call. */
  write(piece: Uint8Array): boolean;
  /** How much it holds of the answer, in bytes. */
  readonly heldBytes: number;
}

/** What was read of a body. */
export type ReadBody = {
  /** Its beginning. */
  readonly head: string;
  /** How long this process was busy with it, in milliseconds. */
  readonly busyMs: number;
};

/** How many bytes are processed before the time is looked at. */
const PIECE_BYTES = 8 * 1024;
/** For so long, in milliseconds, one body is processed before everything else gets its turn. */
const SLICE_MS = 8;

/**
 * Reads a body into `sink`, and its beginning without one. The rest of a body that nobody wants is not read. Of those of
 * which much is held one at a time is read, by the turns of `large`; without it this one waits for no other.
 */
export async function readBody(
  body: Dispatcher.ResponseData['body'],
  large: OneAtATime | undefined,
  sink?: BodySink,
): Promise<ReadBody> {
  using turn = new DisposableStack();
  let isLarge = false;
  // The end of a body that is not read to its end is an error event.
  body.on('error', () => undefined);
  const head: Uint8Array[] = [];
  let headBytes = 0;
  let busyMs = 0;
  let sliceMs = 0;
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) continue;
    let isEnough = false;
    for (let at = 0; at < chunk.length && !isEnough; at += PIECE_BYTES) {
      const piece = chunk.subarray(at, at + PIECE_BYTES);
      const began = performance.now();
      if (headBytes < LIMITS.broker.refusal.max) {
        // Copied, because a piece keeps its whole chunk.
        head.push(Uint8Array.from(piece.subarray(0, LIMITS.broker.refusal.max - headBytes)));
        headBytes += piece.length;
        isEnough = sink === undefined && headBytes > LIMITS.broker.refusal.max;
      }
      if (sink !== undefined) isEnough = !sink.write(piece);
      sliceMs += performance.now() - began;
      if (large !== undefined && !isLarge && (sink?.heldBytes ?? 0) > LIMITS.broker.atOnce.max) {
        isLarge = true;
        turn.use(await large.turn());
      }
      if (sliceMs < SLICE_MS) continue;
      busyMs += sliceMs;
      sliceMs = 0;
      await setImmediate();
    }
    if (isEnough) break;
  }
  return { head: Buffer.concat(head).toString(), busyMs: busyMs + sliceMs };
}
