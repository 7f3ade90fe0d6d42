import { asAgentError } from '../../../domain/errors.ts';
import type { OutputSink } from '../../../domain/ports/runtime.ts';
import { sleep } from '../../../lib/sleep.ts';
import { LogPosition } from './log-position.ts';
import { LostNewlines } from './lost-newlines.ts';
import { type OutputSource, readStream } from './read-stream.ts';
import { type LogFrame, readLogFrame } from './stream-frames.ts';

/** The source of a container's log. */
export type LogSource = Pick<OutputSource, 'hasExited'> & {
  /** Opens the log from `since` (undefined: its beginning), with timestamps, and follows it. An abort ends it. */
  open(since: string | undefined, signal: AbortSignal): ReturnType<OutputSource['open']>;
};

const PAUSE_MS = 500;
/** The pause after each further reading that ended before the exit was visible. */
const SHORT_PAUSE_MS = 50;
const MAX_FAILURES = 5;

/**
 * Delivers a container's log until the container has exited. Reopens a log that breaks off; an abort ends it quietly.
 * Reads on once more after the exit, because some engines lose their place when the log rotates under a fast writer.
 */
export async function followLog(source: LogSource, sink: OutputSink, signal: AbortSignal): Promise<void> {
  const reading = { position: new LogPosition(), newlines: new LostNewlines(), sink };
  let failures = 0;
  let early = 0;
  while (!signal.aborted) {
    try {
      const exited = await source.hasExited(signal);
      await readOnce(source, reading, signal);
      if (exited) return;
      failures = 0;
      early += 1;
      // Usually the first reading ended because the container has just exited.
      if (early > 1) await sleep(SHORT_PAUSE_MS, signal);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asAgentError(thrown);
      if (error.code !== 'RUNTIME_UNAVAILABLE') failures += 1;
      if (error.code === 'CONTAINER_GONE' || failures > MAX_FAILURES) throw error;
      await sleep(PAUSE_MS, signal);
    }
  }
}

const NEWLINE = Uint8Array.of(0x0a);

/** What one reading of a log passes on to the next. */
type Reading = {
  readonly position: LogPosition;
  readonly newlines: LostNewlines;
  readonly sink: OutputSink;
};

/** Reads the log from the position to its end. Throws if the stream breaks off. */
async function readOnce(source: LogSource, reading: Reading, signal: AbortSignal): Promise<void> {
  const { position, newlines, sink } = reading;
  const since = position.reopen();
  const open = (opened: AbortSignal) => source.open(since, opened);
  const deliver = (frame: LogFrame): void => {
    if (!position.isNew(frame.stream, frame.timestamp)) return;
    if (newlines.before(frame)) sink(frame.stream, NEWLINE);
    sink(frame.stream, frame.bytes);
  };
  await readStream({ hasExited: source.hasExited, open }, (frame) => deliver(readLogFrame(frame)), signal);
}
