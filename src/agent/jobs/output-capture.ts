import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobFiles, Output } from '../../domain/ports/job-files.ts';
import type { Exit, OutputSink, Runtime } from '../../domain/ports/runtime.ts';
import type { Log } from '../../lib/log.ts';
import { retryEngine } from '../retry/retry-engine.ts';

/** So often is output read that cannot be read, although the engine answers. */
const READ_TRIES = 6;

export type OutputCaptureDeps = {
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
};

/** Whom is listened to. */
export type OutputSource = {
  readonly job: string;
  readonly container: string;
  /** A sink for all that it prints, in front of the one that keeps it. */
  readonly through?: (sink: OutputSink) => OutputSink;
};

/** Collects all that a running job prints, until the signal aborts. */
export class OutputCapture {
  readonly #deps: OutputCaptureDeps;
  readonly #source: OutputSource;
  readonly #signal: AbortSignal;
  readonly #output: Promise<Output | undefined>;

  constructor(deps: OutputCaptureDeps, speaker: OutputSource, signal: AbortSignal) {
    this.#deps = deps;
    this.#source = speaker;
    this.#signal = signal;
    this.#output = this.#collect();
  }

  /**
   * What it printed, now that it has ended so; after an abort, what came before. undefined: it cannot be had.
   *
   * What an engine hands on of a running job may lack the last of it, what it has kept does not: so a job that ended
   * well is read once more where its result is missing. So is any whose output could not be had while it ran.
   */
  async output(exit?: Pick<Exit, 'code'>): Promise<Output | undefined> {
    const output = await this.#output;
    if (output !== undefined && (output.result !== undefined || exit?.code !== 0)) return output;
    return (await this.#collect()) ?? output;
  }

  /** From the first byte again where the engine broke off. */
  #collect(): Promise<Output | undefined> {
    const { files, runtime } = this.#deps;
    const { container, job, through = (sink) => sink } = this.#source;
    const retryIf = (error: AgentError, attempt: number): boolean =>
      error.code === 'RUNTIME_UNAVAILABLE' || (error.code !== 'CONTAINER_GONE' && attempt < READ_TRIES);
    return retryEngine({ ...this.#deps, signal: this.#signal, retryIf }, async () => {
      const collector = await files.output(job);
      await runtime.follow(container, through(collector.write), this.#signal);
      return collector.end();
    });
  }
}
