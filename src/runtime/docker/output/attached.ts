import { addAbortSignal, Readable } from 'node:stream';
import type Docker from 'dockerode';
import { AgentError, asAgentError, type ErrorCode } from '../../../domain/errors.ts';
import type { OutputSink } from '../../../domain/ports/runtime.ts';
import { within } from '../../../lib/deadline.ts';
import type { ObservedExit } from '../container/wait.ts';
import { callEngine } from '../engine/call.ts';
import { readStream } from './read-stream.ts';
import type { StreamFrame } from './stream-frames.ts';

/** Errors after which the container can still be started, because its log has the output too. */
const TOLERATED: readonly ErrorCode[] = ['RUNTIME_UNAVAILABLE', 'RUNTIME_FAILED'];

/**
 * A stream without a reader is closed after this long, in milliseconds, because the engine blocks a job whose output is
 * not read.
 */
const UNREAD_MS = 2_000;

/** Output streams of containers, attached before the start so that no byte is missing. Each has one reader. */
export class AttachedOutputs {
  readonly #docker: Docker;
  readonly #ms: number;
  readonly #ended: (id: string) => void;
  readonly #streams = new Map<string, Readable>();
  readonly #opening = new Map<string, Promise<AgentError | undefined>>();

  /**
   * `ms`: how long the engine may take to attach, in milliseconds. `ended` is called at the end of a container's output,
   * which the engine closes before it takes the network away.
   */
  constructor(docker: Docker, ms: number, ended: (id: string) => void) {
    this.#docker = docker;
    this.#ms = ms;
    this.#ended = ended;
  }

  /** Begins to attach to a container that was just created, so that the caller can write its journal meanwhile. */
  begin(id: string): void {
    this.#opening.set(
      id,
      this.#open(id).then(
        () => undefined,
        (thrown: unknown) => asAgentError(thrown),
      ),
    );
  }

  /** Waits until the container is attached, before its start. If the engine fails, the log is the only source. */
  async opened(id: string): Promise<void> {
    const failure = await this.#opening.get(id);
    this.#opening.delete(id);
    if (failure !== undefined && !TOLERATED.includes(failure.code)) throw failure;
  }

  async #open(id: string): Promise<void> {
    const options = { stream: true, stdout: true, stderr: true } as const;
    const stream = await callEngine({ action: `attach to container ${id}`, ms: this.#ms }, (abortSignal) =>
      this.#docker.getContainer(id).attach({ ...options, abortSignal }),
    );
    if (!(stream instanceof Readable)) throw new AgentError('INTERNAL', 'the output is not a stream');
    // The reader sees its errors; before it comes, an error must not be uncaught.
    stream.on('error', () => undefined);
    // The container may have been removed meanwhile.
    if (!this.#opening.has(id)) return void stream.destroy();
    stream.once('end', () => this.#ended(id));
    this.#streams.set(id, stream);
  }

  /** The container has started: its reader must come within UNREAD_MS. */
  started(id: string): void {
    const stream = this.#streams.get(id);
    if (stream === undefined) return;
    setTimeout(() => this.#streams.get(id) === stream && this.close(id), UNREAD_MS).unref();
  }

  /** Hands the stream over to its reader; undefined if there is none. */
  take(id: string): Readable | undefined {
    const stream = this.#streams.get(id);
    this.#streams.delete(id);
    return stream;
  }

  /** Closes a stream that was not taken. */
  close(id: string): void {
    this.#opening.delete(id);
    this.take(id)?.destroy();
  }
}

/** How much later than the end of the output the engine may record the exit, in milliseconds. */
const EXIT_RECORD_DELAY_MS = 1_000;
/** A container that has not exited this long after the end of its output keeps running, in milliseconds. */
const EXIT_MS = 60_000;

/** What following an attached output needs: the container's state, its exit, and the wall clock. */
export type AttachedSource = {
  readonly hasExited: (signal: AbortSignal) => Promise<boolean>;
  readonly waitForExit: (signal: AbortSignal) => Promise<ObservedExit>;
  readonly now: () => number;
};

/**
 * Delivers a container's output until it has exited; an abort ends it quietly. Throws RUNTIME_UNAVAILABLE if the engine
 * may have stopped first. The missing output is then in the log, which has it from the first byte.
 */
export async function followAttached(
  stream: Readable,
  source: AttachedSource,
  sink: OutputSink,
  signal: AbortSignal,
): Promise<void> {
  const open = async (over: AbortSignal): Promise<Readable> => addAbortSignal(over, stream);
  const deliver = ({ bytes, stream: name }: StreamFrame): void => sink(name, bytes);
  try {
    const end = await readStream({ hasExited: source.hasExited, open }, deliver, signal);
    // A dying engine closes the stream just like one that has seen the exit.
    if (end === 'cut' || !(await exitedNow(source, signal)))
      throw new AgentError('RUNTIME_UNAVAILABLE', 'the container’s output broke off');
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
  } finally {
    stream.destroy();
  }
}

/** Whether the container exited together with its output, while the engine was running. */
async function exitedNow(source: AttachedSource, signal: AbortSignal): Promise<boolean> {
  const closedAt = source.now();
  const timeout = within(EXIT_MS, signal);
  try {
    const { engineWasUnreachable, exit } = await source.waitForExit(timeout);
    return !engineWasUnreachable && exit.finishedAt <= closedAt + EXIT_RECORD_DELAY_MS;
  } catch (thrown) {
    if (timeout.aborted) return false;
    throw thrown;
  }
}
