import { addAbortSignal, Readable } from 'node:stream';
import type Docker from 'dockerode';
import { AgentError, asAgentError, type ErrorCode } from '../../../domain/errors.ts';
import type { OutputSink } from '../../../domain/ports/runtime.ts';
import { within } from '../../../lib/deadline.ts';
import type { SeenEnd } from '../container/wait.ts';
import { callEngine } from '../engine/call.ts';
import { readStream } from '../engine/read-stream.ts';
import type { StreamFrame } from './stream-frames.ts';

/** The errors of a call that say nothing about the container, so that what is to be done with it can go on. */
const NO_ANSWER: readonly ErrorCode[] = ['RUNTIME_UNAVAILABLE', 'RUNTIME_FAILED'];

/**
 * A stream that nobody has begun to read after this long is closed, in milliseconds: the engine holds back what a job
 * prints until it is read, and the job with it.
 */
const UNREAD_MS = 2_000;

/** The output of containers as it comes, opened before their start so that no byte is missing. One reader each. */
export class AttachedOutputs {
  readonly #docker: Docker;
  readonly #ms: number;
  readonly #streams = new Map<string, Readable>();

  /** `ms`: how long the engine may take to open one, in milliseconds. */
  constructor(docker: Docker, ms: number) {
    this.#docker = docker;
    this.#ms = ms;
  }

  /** Opens the output of a container that is to be started. Where that cannot be, its log is there all the same. */
  async open(id: string): Promise<void> {
    const what = { stream: true, stdout: true, stderr: true } as const;
    try {
      const stream = await callEngine({ doing: `attach to container ${id}`, ms: this.#ms }, (abortSignal) =>
        this.#docker.getContainer(id).attach({ ...what, abortSignal }),
      );
      if (!(stream instanceof Readable)) throw new AgentError('INTERNAL', 'an answer that is no stream');
      // Whoever reads it hears of its errors; until then nobody may be surprised by one.
      stream.on('error', () => undefined);
      this.#streams.set(id, stream);
    } catch (thrown) {
      if (!NO_ANSWER.includes(asAgentError(thrown).code)) throw thrown;
    }
  }

  /** The container has started: its reader must come now. */
  started(id: string): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    setTimeout(() => this.#streams.get(id) === stream && this.close(id), UNREAD_MS).unref();
  }

  /** Hands the stream over to its reader; undefined: there is none. */
  take(id: string): Readable | undefined {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    return stream;
  }

  /** Closes one that nobody reads. */
  close(id: string): void {
    this.take(id)?.destroy();
  }
}

/** An engine notes the end of a container a little later than it closes its output, in milliseconds. */
const NOTED_LATER_MS = 1_000;
/** A container that has not ended this long after its output was closed goes on, in milliseconds. */
const END_MS = 5_000;

/** What following an attached output needs of the engine, and the wall clock. */
export type AttachedSource = {
  readonly ended: (signal: AbortSignal) => Promise<boolean>;
  /** Waits for the container's end. */
  readonly end: (signal: AbortSignal) => Promise<SeenEnd>;
  readonly now: () => number;
};

/**
 * Hands on a container's output until it has ended; an abort ends it quietly. Throws RUNTIME_UNAVAILABLE where the
 * engine went away first, or may have: its log, from the first byte, has what is missing.
 */
export async function followAttached(
  stream: Readable,
  source: AttachedSource,
  sink: OutputSink,
  signal: AbortSignal,
): Promise<void> {
  const opened = async (over: AbortSignal): Promise<Readable> => addAbortSignal(over, stream);
  const take = ({ bytes, stream: name }: StreamFrame): void => sink(name, bytes);
  try {
    const how = await readStream({ ended: source.ended, open: opened }, take, signal);
    // An engine that dies closes the stream as one does that has seen the container's end.
    if (how === 'cut' || !(await endedNow(source, signal)))
      throw new AgentError('RUNTIME_UNAVAILABLE', 'the container’s output broke off');
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    stream.destroy();
  }
}

/** Whether the container, whose output has just been closed, has ended with it, under the eyes of the engine. */
async function endedNow(source: AttachedSource, signal: AbortSignal): Promise<boolean> {
  const closedAt = source.now();
  const inTime = within(END_MS, signal);
  try {
    const { engineWasAway, exit } = await source.end(inTime);
    return !engineWasAway && exit.finishedAt <= closedAt + NOTED_LATER_MS;
  } catch (thrown) {
    if (inTime.aborted) return false;
    throw thrown;
  }
}
