import type { OutputStream } from '../../../domain/ports/runtime.ts';
import type { LogFrame } from './stream-frames.ts';

const NEWLINE = 0x0a;

/**
 * Finds newlines that Docker up to 20.10 drops from its `local` log: after the last piece of a line of 16 KiB or more.
 * The pieces of a line share a timestamp, so an unended piece before another timestamp was the end of its line.
 */
export class LostNewlines {
  readonly #unended: Record<OutputStream, string | undefined> = { stdout: undefined, stderr: undefined };

  /** Whether a newline is missing before this frame. Must be called once for each delivered frame, in order. */
  before(frame: LogFrame): boolean {
    const unended = this.#unended[frame.stream];
    this.#unended[frame.stream] = frame.bytes.at(-1) === NEWLINE ? undefined : frame.timestamp;
    return unended !== undefined && unended !== frame.timestamp;
  }
}
