import type { OutputStream } from '../../../domain/ports/runtime.ts';
import type { LogFrame } from './log-frames.ts';

const NEWLINE = 0x0a;

/**
 * Finds the newlines that the engine's `local` log loses: up to Docker 20.10, a line of 16 KiB or more comes in
 * pieces, and the end of the last piece is not written. Pieces of one line have one time, so a piece without an end
 * that is followed by another time was the end of its line.
 */
export class LostNewlines {
  readonly #unended: Record<OutputStream, string | undefined> = { stdout: undefined, stderr: undefined };

  /** Whether a newline belongs before this frame; to be asked once for each frame that is handed on, in order. */
  before(frame: LogFrame): boolean {
    const unended = this.#unended[frame.stream];
    this.#unended[frame.stream] = frame.bytes.at(-1) === NEWLINE ? undefined : frame.stamp;
    return unended !== undefined && unended !== frame.stamp;
  }
}
