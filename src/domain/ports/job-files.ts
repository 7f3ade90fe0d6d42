import type { JobArguments } from '../job.ts';
import type { FunctionSpec } from '../run.ts';
import type { OutputSink } from './runtime.ts';

/** What a job executes. */
export type JobInput = {
  readonly fn: FunctionSpec;
  readonly code: string | Uint8Array;
  readonly args: JobArguments;
};

/** The host directory of a job's files, and the environment variables with which the container finds them. */
export type LaidOut = { readonly inputDir: string; readonly env: Readonly<Record<string, string>> };

/** What a job printed and returned; `result` is undefined if the handler did not return. */
export type Output = {
  readonly stdout: string;
  readonly stderr: string;
  readonly result: string | undefined;
};

/** Collects a job's output for its report; its memory is bounded. */
export interface OutputCollector {
  readonly write: OutputSink;
  end(): Output;
}

/** Brings a job's function, arguments and loader into its container, and the result back. */
export interface JobFiles {
  /** Throws FUNCTION_INVALID if the function or its arguments cannot be run. Safe to repeat. */
  layOut(job: string, input: JobInput): Promise<LaidOut>;
  /** A collector that recognises the frames of this job, also after a restart; `watch` is given all that is not one. */
  output(job: string, watch?: OutputSink): Promise<OutputCollector>;
  remove(job: string): Promise<void>;
  /** The uuids of the jobs that have files. */
  list(): Promise<readonly string[]>;
  /** Writes and removes a test file. Throws STATE_DIR_UNUSABLE. */
  tryWriting(): Promise<void>;
}
