import type { Clock } from '../domain/ports/clock.ts';
import type { Log } from '../lib/log.ts';
import { readableBytes } from '../lib/readable.ts';
import type { PullReport } from '../runtime/docker/image/pull.ts';
import type { Writer } from './command.ts';

/** Takes reports of image pulls. */
export type PullProgress = (report: PullReport) => void;

const TERMINAL_EVERY_MS = 200;
const LOG_EVERY_MS = 30_000;
const CLEAR_LINE = '\r\u001B[K';

/** Shows how far image pulls are: in one line that is overwritten on a terminal, else in a log line every 30 s. */
export function pullProgress(stderr: Writer, log: Log, clock: Clock): PullProgress {
  const shownAt = new Map<string, number>();
  const everyMs = stderr.isTerminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS;
  return ({ doneBytes, finished, ref, totalBytes }) => {
    const now = clock.monotonic();
    if (finished) {
      if (shownAt.delete(ref) && stderr.isTerminal) stderr.write(CLEAR_LINE);
      return;
    }
    const last = shownAt.get(ref);
    // A pull that ends within the interval needs no line in the log.
    if (last === undefined) shownAt.set(ref, stderr.isTerminal ? now - everyMs : now);
    if (last === undefined || now - last < everyMs) return;
    shownAt.set(ref, now);
    if (!stderr.isTerminal) {
      log.info({ event: 'image-pulling', image: ref, doneBytes, totalBytes }, 'pulling image');
      return;
    }
    const text = `pulling ${ref}: ${readableBytes(doneBytes)} of ${readableBytes(totalBytes)}`;
    // A line that wraps could not be overwritten.
    stderr.write(`${CLEAR_LINE}${text.slice(0, stderr.columns - 1)}`);
  };
}
