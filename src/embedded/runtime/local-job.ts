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

/** What a local job is made of. */
export type LocalJobPlan = {
  readonly id: string;
  readonly job: string;
  /** The job's own directory, removed with it. `home` inside it is where the process works. */
  readonly directory: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
};

/** How often a follower looks for more output, in milliseconds. */
const LOOK_EVERY_MS = 20;

/** One job as a process of this machine, in a process group of its own, its output in files. */
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

  /** Settles when the process has ended; with undefined when the job was removed without ever running. */
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
        hint: `Install ${this.#plan.command}, or run the dry run with --docker.`,
        cause,
      });
    }
  }

  /** Hands on all output from the first byte until the process has ended or `signal` aborts. */
  async follow(sink: OutputSink, signal: AbortSignal): Promise<void> {
    await using stdout = await OutputFile.open(this.#path('stdout'));
    await using stderr = await OutputFile.open(this.#path('stderr'));
    for (;;) {
      // Asked before reading: what was written until then is read now, and after the end nothing is.
      const last = this.#exit !== undefined || this.#removed;
      await stdout.readOn((chunk) => sink('stdout', chunk), signal);
      await stderr.readOn((chunk) => sink('stderr', chunk), signal);
      if (last || !(await sleep(LOOK_EVERY_MS, signal))) return;
    }
  }

  /** Sends SIGTERM to the whole group, kills it `graceMs` later, and waits for its end. */
  async stop(graceMs: number): Promise<void> {
    if (this.#pid === undefined || this.#exit !== undefined) return;
    signalGroup(this.#pid, 'SIGTERM');
    await waitAtMost(graceMs, this.#over.promise);
    await this.#kill();
  }

  /** Kills what runs and removes the job's files. */
  async remove(): Promise<void> {
    this.#removed = true;
    await this.#kill();
    this.#over.resolve(undefined);
    await rm(this.#plan.directory, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Kills what runs, without waiting for its end. */
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
    // Removed while the files were opened: nobody would ever end what began now.
    if (this.#removed) throw new Error('its job was removed');
    const child = spawn(command, args, {
      cwd: this.#path('home'),
      env,
      // Makes it the leader of a group of its own, so that all of a job can be signalled at once.
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
    // As with the first process of a container, what it left behind ends with it.
    if (this.#pid !== undefined) signalGroup(this.#pid, 'SIGKILL');
    this.#exit = exit;
    this.#over.resolve(exit);
  }

  #path(name: 'home' | 'stdout' | 'stderr'): string {
    return join(this.#plan.directory, name);
  }
}
