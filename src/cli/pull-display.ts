import type { Clock } from '../domain/ports/clock.ts';
import type { PullProgress } from '../domain/ports/runtime.ts';
import { readableBytes } from '../lib/readable.ts';
import type { Writer } from './command.ts';

/** Takes each step of image pulls. */
export type PullDisplay = (progress: PullProgress) => void;

const EVERY_MS = 200;
const CLEAR_LINE = '\r\u001B[K';

/** Shows on a terminal how far an image pull is, in one line that is overwritten. */
export function pullDisplay(stderr: Writer, clock: Clock): PullDisplay {
  if (!stderr.isTerminal) return () => undefined;
  const shownAt = new Map<string, number>();
  return ({ doneBytes, finished, ref, totalBytes }) => {
    const now = clock.monotonic();
    if (finished) {
      if (shownAt.delete(ref)) stderr.write(CLEAR_LINE);
      return;
    }
    if (now - (shownAt.get(ref) ?? Number.NEGATIVE_INFINITY) < EVERY_MS) return;
    shownAt.set(ref, now);
    const text = `pulling ${ref}: ${readableBytes(doneBytes)} of ${readableBytes(totalBytes)}`;
    // A line that wraps could not be overwritten.
    stderr.write(`${CLEAR_LINE}${text.slice(0, stderr.columns - 1)}`);
  };
}
