import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobFiles, Output } from '../../domain/ports/job-files.ts';
import type { Exit, OutputSink, Runtime } from '../../domain/ports/runtime.ts';
import type { Log } from '../../lib/log.ts';
import { retryEngine } from '../retry/retry-engine.ts';

/** How often output is read in vain while the engine answers. */
const READ_TRIES = 6;

export type OutputCaptureDeps = {
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly log: Log;
  readonly clock: Clock;
  readonly random: () => number;
};

/** The job whose output is captured. */
export type OutputSource = {
  readonly job: string;
  readonly container: string;
  /** Wraps the sink of all output, to monitor it. */
  readonly through?: (sink: OutputSink) => OutputSink;
  /** Makes a sink for what the job prints, without what its loader says; another one each time output is read from its beginning. */
  readonly watch?: () => OutputSink;
};

/** Collects the output of a running job until the signal aborts. */
export class OutputCapture {
  readonly #deps: OutputCaptureDeps;
  readonly #source: OutputSource;
  readonly #signal: AbortSignal;
  readonly #output: Promise<Output | undefined>;

  constructor(deps: OutputCaptureDeps, source: OutputSource, signal: AbortSignal) {
    this.#deps = deps;
    this.#source = source;
    this.#signal = signal;
    this.#output = this.#collect();
  }

  /**
   * The output of a job that has ended; after an abort, what came before. undefined: it cannot be read.
   *
   * The engine's stream of a running job may lack its end, its log does not: so output is read once more where the
   * result of a successful exit is missing, or where it could not be read at all.
   */
  async output(exit?: Pick<Exit, 'code'>): Promise<Output | undefined> {
    const output = await this.#output;
    if (output !== undefined && (output.result !== undefined || exit?.code !== 0)) return output;
    return (await this.#collect()) ?? output;
  }

  /** Begins again from the first byte where the engine broke off. */
  #collect(): Promise<Output | undefined> {
    const { files, runtime } = this.#deps;
    const { container, job, through = (sink) => sink, watch } = this.#source;
    const retryIf = (error: AgentError, attempt: number): boolean =>
      error.code === 'RUNTIME_UNAVAILABLE' ||
      error.code === 'ENGINE_CHANGED' ||
      (error.code !== 'CONTAINER_GONE' && attempt < READ_TRIES);
    return retryEngine({ ...this.#deps, signal: this.#signal, retryIf }, async () => {
      const collector = await files.output(job, watch?.());
      await runtime.follow(container, through(collector.write), this.#signal);
      return collector.end();
    });
  }
}
