import { Readable } from 'node:stream';

/** So much of a body is handed to the system at once, in bytes. */
const PIECE = 64 * 1024;

/**
 * So much may have been handed over and be on its way still, in bytes: nobody tells what the system's buffers and those
 * of a line hold. Of four reports at once on a line of 32 kB/s, one was not seen to move for up to 142 s as measured,
 * which is 1.1 MiB at its share.
 */
const ON_ITS_WAY = 2 * 1024 * 1024;

/** How many bytes of a body may get to the broker without that we see any of them move. */
export function unseen(body: Buffer | undefined): number {
  return Math.min(body?.length ?? 0, ON_ITS_WAY);
}

/** A body as it is sent. One of several pieces calls `onMove` whenever the system has taken one more of them. */
export function inPieces(body: Buffer, onMove: () => void): Buffer | Readable {
  if (body.length <= PIECE) return body;
  let at = 0;
  return new Readable({
    highWaterMark: PIECE,
    read() {
      onMove();
      const piece = body.subarray(at, at + PIECE);
      at += PIECE;
      this.push(piece.length === 0 ? null : piece);
    },
  });
}
