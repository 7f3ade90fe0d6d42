import type { Output, OutputCollector } from '../domain/ports/job-files.ts';
import type { OutputSink, OutputStream } from '../domain/ports/runtime.ts';
import { LIMITS } from '../limits.ts';
import { FrameScanner, ResultAssembler } from './frames.ts';
import { HeadTail } from './head-tail.ts';

/** The most bytes of UTF-8 that are reported of stdout, and of stderr. */
export const OUTPUT_LIMIT = LIMITS.job.output.max;
/** The most bytes of UTF-8 that a result may have; the loaders read it from job.json. */
export const RESULT_LIMIT = LIMITS.job.result.max;

/** Collects the output of the job with this nonce for its report. */
export class JobOutput implements OutputCollector {
  readonly #stdout = new HeadTail(OUTPUT_LIMIT);
  readonly #stderr = new HeadTail(OUTPUT_LIMIT);
  readonly #result = new ResultAssembler(RESULT_LIMIT);
  readonly #scanner: FrameScanner;
  readonly #watch: OutputSink;

  /** `watch` is given what the job prints. */
  constructor(nonce: string, watch: OutputSink = () => undefined) {
    this.#watch = watch;
    this.#scanner = new FrameScanner(
      nonce,
      (bytes) => {
        this.#stdout.write(bytes);
        watch('stdout', bytes);
      },
      (name, body) => this.#result.record(name, body),
    );
  }

  readonly write = (stream: OutputStream, chunk: Uint8Array): void => {
    if (stream === 'stdout') this.#scanner.write(chunk);
    else {
      this.#stderr.write(chunk);
      this.#watch('stderr', chunk);
    }
  };

  end(): Output {
    this.#scanner.end();
    return { stdout: this.#stdout.text(), stderr: this.#stderr.text(), result: this.#result.result() };
  }
}
