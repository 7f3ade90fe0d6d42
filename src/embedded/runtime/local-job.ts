import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Exit, FoundContainer, OutputSink } from '../../domain/ports/runtime.ts';
import { waitAtMost } from '../../lib/deadline.ts';
import { exitCode, signalGroup } from '../../lib/process.ts';
import { sleep } from '../../lib/sleep.ts';
import { OutputFile } from './output-file.ts';

/** What a local job needs. */
export type LocalJobPlan = {
  readonly id: string;
  readonly job: string;
  /** The job's directory, removed with it; its `home` is the working directory. */
  readonly directory: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** How often a follower reads more output. */
const POLL_MS = 20;

/** A job as a process of this machine, with its own process group and with its output in files. */
export class LocalJob {
  readonly #plan: LocalJobPlan;
  readonly #clock: Clock;
  readonly #over = Promise.withResolvers<Exit | undefined>();
  #startedAt: number | undefined;
  #pid: number | undefined;
  #exit: Exit | undefined;
  #removed = false;

  constructor(plan: LocalJobPlan, clock: Clock) {
    this.#plan = plan;
    this.#clock = clock;
  }

  get job(): string {
    return this.#plan.job;
  }

  /** Settles when the process has exited; with undefined if the job was removed without a start. */
  get over(): Promise<Exit | undefined> {
    return this.#over.promise;
  }

  found(): FoundContainer {
    const { id, job } = this.#plan;
    const begun = this.#pid === undefined ? 'created' : 'running';
    return { id, job, state: this.#exit === undefined ? begun : 'exited', startedAt: this.#startedAt };
  }

  /** Starts the process, once. Throws RUNTIME_FAILED. */
  async start(): Promise<void> {
    if (this.#startedAt !== undefined) return;
    this.#startedAt = this.#clock.now();
    try {
      await this.#spawn(this.#startedAt);
    } catch (cause) {
      this.#startedAt = undefined;
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AgentError('RUNTIME_FAILED', `${this.#plan.command} could not be started: ${why}`, {
        hint: `install ${this.#plan.command}, or run the dry run with --docker`,
        cause,
      });
    }
  }

  /** Passes all output from the first byte to `sink` until the process has exited or `signal` aborts. */
  async follow(sink: OutputSink, signal: AbortSignal): Promise<void> {
    await using stdout = await OutputFile.open(this.#path('stdout'));
    await using stderr = await OutputFile.open(this.#path('stderr'));
    for (;;) {
      // Read before the output, because nothing is written after the exit.
      const last = this.#exit !== undefined || this.#removed;
      await stdout.readOn((chunk) => sink('stdout', chunk), signal);
      await stderr.readOn((chunk) => sink('stderr', chunk), signal);
      if (last || !(await sleep(POLL_MS, signal))) return;
    }
  }

  /** Sends SIGTERM to the whole group, kills it `graceMs` later, and waits for its end. */
  async stop(graceMs: number): Promise<void> {
    if (this.#pid === undefined || this.#exit !== undefined) return;
    signalGroup(this.#pid, 'SIGTERM');
    await waitAtMost(graceMs, this.#over.promise);
    await this.#kill();
  }

  /** Kills the process and removes the job's files. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#kill();
    this.#over.resolve(undefined);
    await rm(this.#plan.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Kills the process without waiting for its exit. */
  kill(): void {
    if (this.#pid !== undefined && this.#exit === undefined) signalGroup(this.#pid, 'SIGKILL');
  }

  async #kill(): Promise<void> {
    if (this.#pid === undefined || this.#exit !== undefined) return;
    this.kill();
    await this.#over.promise;
  }

  async #spawn(startedAt: number): Promise<void> {
    const { command, args, env } = this.#plan;
    await using stdout = await open(this.#path('stdout'), 'a');
    await using stderr = await open(this.#path('stderr'), 'a');
    // The job may have been removed while the files were opened.
    if (this.#removed) throw new Error('its job was removed');
    const child = spawn(command, args, {
      cwd: this.#path('home'),
      env,
      // Starts a new process group, so that all processes of the job can be signalled.
      detached: true,
      stdio: ['ignore', stdout.fd, stderr.fd],
    });
    this.#pid = child.pid;
    child.once('exit', (code, signal) => {
      this.#end({
        code: exitCode(code, signal),
        oomKilled: false,
        startedAt,
        finishedAt: this.#clock.now(),
        exitOrigin: 'job',
      });
    });
    await once(child, 'spawn');
  }

  #end(exit: Exit): void {
    // As in a container, the other processes end with the first one.
    if (this.#pid !== undefined) signalGroup(this.#pid, 'SIGKILL');
    this.#exit = exit;
    this.#over.resolve(exit);
  }

  #path(name: 'home' | 'stdout' | 'stderr'): string {
    return join(this.#plan.directory, name);
  }
}
