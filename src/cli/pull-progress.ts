import type { Clock } from '../domain/ports/clock.ts';
import type { Log } from '../lib/log.ts';
import type { PullReport } from '../runtime/docker/image/pull.ts';
import type { Writer } from './command.ts';

/** Takes reports of image pulls. */
export type PullProgress = (report: PullReport) => void;

const TERMINAL_EVERY_MS = 200;
const LOG_EVERY_MS = 30_000;

/** Shows how far pulls are: a line that is written over on a terminal, a line of the log now and then elsewhere. */
export function pullProgress(stderr: Writer, log: Log, clock: Clock): PullProgress {
  const shownAt = new Map<string, number>();
  const everyMs = stderr.isTerminal ? TERMINAL_EVERY_MS : LOG_EVERY_MS;
  return ({ doneBytes, finished, ref, totalBytes }) => {
    const now = clock.monotonic();
    if (finished) {
      if (shownAt.delete(ref) && stderr.isTerminal) stderr.write('\r\u001B[K');
      return;
    }
    const last = shownAt.get(ref);
    // A pull that is over in a moment needs no line.
    if (last === undefined) shownAt.set(ref, stderr.isTerminal ? now - everyMs : now);
    if (last === undefined || now - last < everyMs) return;
    shownAt.set(ref, now);
    if (stderr.isTerminal)
      stderr.write(`\r\u001B[Kpulling ${ref}: ${megabytes(doneBytes)} of ${megabytes(totalBytes)}`);
    else log.info({ image: ref, doneBytes, totalBytes }, 'pulling');
  };
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
