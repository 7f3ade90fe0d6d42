import type { FunctionSpec } from '../run.ts';
import type { OutputSink } from './runtime.ts';

/** A job's files as they lie on this host, and the environment that makes the container find them. */
export type LaidOut = { readonly inputDir: string; readonly env: Readonly<Record<string, string>> };

/** What a job printed and returned; `result` is undefined where the handler never returned. */
export type Output = {
  readonly stdout: string;
  readonly stderr: string;
  readonly result: string | undefined;
};

/** Takes a job's raw output as it comes and keeps what the broker is sent: bounded, whatever is printed. */
export interface OutputCollector {
  readonly write: OutputSink;
  end(): Output;
}

/** How a job's function, its arguments and the loader get to the container, and its result back. */
export interface JobFiles {
  /** Throws FUNCTION_INVALID where the function or its arguments are at fault. Safe to repeat. */
  layOut(job: string, fn: FunctionSpec, args: string): Promise<LaidOut>;
  /** A collector that knows the job's own frame; works after a restart too. */
  output(job: string): Promise<OutputCollector>;
  remove(job: string): Promise<void>;
  /** The jobs that have files here. */
  list(): Promise<readonly string[]>;
  /** Writes something of no meaning and removes it. Throws STATE_DIR_UNUSABLE where nothing can be written now. */
  tryWriting(): Promise<void>;
}
