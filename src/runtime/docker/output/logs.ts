import { asAgentError } from '../../../domain/errors.ts';
import type { OutputSink } from '../../../domain/ports/runtime.ts';
import { sleep } from '../../../lib/sleep.ts';
import { type EngineStream, readStream } from '../engine/read-stream.ts';
import { type LogFrame, readLogFrame } from './log-frames.ts';
import { LogPosition } from './log-position.ts';
import { LostNewlines } from './lost-newlines.ts';

/** The two things that following a container's output needs of the engine. */
export type LogSource = Pick<EngineStream, 'ended'> & {
  /**
   * Opens the log from that moment on (undefined: its beginning), with times, and follows while it grows. An abort
   * ends the stream with an error.
   */
  open(since: string | undefined, signal: AbortSignal): ReturnType<EngineStream['open']>;
};

const PAUSE_MS = 500;
/** The pause after a second reading that ended before its container was seen to have ended. */
const SHORT_PAUSE_MS = 50;
const MOST_FAILURES_AFTER_END = 5;

/**
 * Hands on a container's output until it has ended and all of its log has been read. A log that breaks off is
 * opened again where it broke. An abort ends it quietly.
 *
 * Some engines lose their place when the log rotates under a fast writer, or never close the stream: so the log
 * is always read once more after the end, from where the first reading came to.
 */
export async function followLog(source: LogSource, sink: OutputSink, signal: AbortSignal): Promise<void> {
  const reading = { position: new LogPosition(), newlines: new LostNewlines(), sink };
  let failures = 0;
  let early = 0;
  while (!signal.aborted) {
    try {
      const ended = await source.ended(signal);
      await readOnce(source, reading, signal);
      if (ended) return;
      failures = 0;
      early += 1;
      // Most often the reading ended because the container did, a moment ago.
      if (early > 1) await sleep(SHORT_PAUSE_MS, signal);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asAgentError(thrown);
      if (error.code !== 'RUNTIME_UNAVAILABLE') failures += 1;
      if (error.code === 'CONTAINER_GONE' || failures > MOST_FAILURES_AFTER_END) throw error;
      await sleep(PAUSE_MS, signal);
    }
  }
}

const NEWLINE = Uint8Array.of(0x0a);

/** What lasts from one reading of a log to the next. */
type Reading = {
  readonly position: LogPosition;
  readonly newlines: LostNewlines;
  readonly sink: OutputSink;
};

/** Reads the log from the position to its end. Throws where the stream breaks off. */
async function readOnce(source: LogSource, reading: Reading, signal: AbortSignal): Promise<void> {
  const { position, newlines, sink } = reading;
  const since = position.reopen();
  const stream = { ended: source.ended, open: (opened: AbortSignal) => source.open(since, opened) };
  const take = (frame: LogFrame): void => {
    if (!position.isNew(frame.stream, frame.stamp)) return;
    if (newlines.before(frame)) sink(frame.stream, NEWLINE);
    sink(frame.stream, frame.bytes);
  };
  await readStream(stream, (frame) => take(readLogFrame(frame)), signal);
}
