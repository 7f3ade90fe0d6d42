import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { ContainerPlan, Exit, FoundContainer, OutputSink, Runtime } from '../../domain/ports/runtime.ts';
import { unlessAborted } from '../../lib/deadline.ts';
import { refuseOtherBrokers } from './embedded-only.ts';
import { InterpreterImages, type Interpreters } from './interpreter-images.ts';
import { LocalJob } from './local-job.ts';

/** What the runtime needs. */
export type ProcessRuntimeOptions = {
  readonly interpreters: Interpreters;
  /** The agent's broker, which must be the embedded one. */
  readonly brokerUrl: string;
  readonly embeddedBrokerUrl: string;
  /** An existing directory, in which each job has its own. */
  readonly workDir: string;
  /** The jobs' PATH. */
  readonly path: string;
  readonly clock: Clock;
};

/**
 * Executes jobs as local processes without isolation, for the samples of the dry run only. Its jobs end with this object;
 * `await using` removes them.
 */
export class ProcessRuntime implements Runtime, AsyncDisposable {
  readonly images: InterpreterImages;
  readonly #options: ProcessRuntimeOptions;
  readonly #jobs = new Map<string, LocalJob>();
  #closed = false;

  /** Throws CONFIG_INVALID for a broker that is not the embedded one. */
  constructor(options: ProcessRuntimeOptions) {
    refuseOtherBrokers(options.brokerUrl, options.embeddedBrokerUrl);
    this.#options = options;
    this.images = new InterpreterImages(options.interpreters);
  }

  probe(): Promise<string> {
    return Promise.resolve('local processes, without containers: for the dry run only');
  }

  ping(): Promise<void> {
    return Promise.resolve();
  }

  async create(plan: ContainerPlan): Promise<string> {
    const [command, ...args] = this.images.interpreter(plan.image);
    const directory = await this.#makeDirectory();
    if ([...this.#jobs.values()].some((other) => other.job === plan.job)) {
      await rm(directory, { recursive: true });
      throw new AgentError('RUNTIME_FAILED', `job ${plan.job} already has a process`);
    }
    if (this.#closed) {
      await rm(directory, { recursive: true, force: true });
      throw new AgentError('RUNTIME_UNAVAILABLE', 'the dry run has ended');
    }
    const id = basename(directory);
    const program = plan.env['CODE'] ?? '';
    const env = this.#environment(plan, join(directory, 'home'));
    const parts = { id, job: plan.job, directory, command, args: [...args, program], env };
    this.#jobs.set(id, new LocalJob(parts, this.#options.clock));
    return id;
  }

  async start(id: string): Promise<void> {
    await this.#job(id).start();
  }

  async follow(id: string, sink: OutputSink, signal: AbortSignal): Promise<void> {
    await this.#job(id).follow(sink, signal);
  }

  async wait(id: string, signal: AbortSignal): Promise<Exit> {
    const exit = await unlessAborted(this.#job(id).over, signal);
    if (exit === undefined) throw gone(id);
    return exit;
  }

  async stop(id: string, graceMs: number): Promise<void> {
    await this.#jobs.get(id)?.stop(graceMs);
  }

  async remove(id: string): Promise<void> {
    await this.#jobs.get(id)?.remove();
    this.#jobs.delete(id);
  }

  list(): Promise<readonly FoundContainer[]> {
    return Promise.resolve([...this.#jobs.values()].map((job) => job.found()));
  }

  /** Kills every job without waiting and accepts no others. Keeps the files. */
  killAll(): void {
    this.#closed = true;
    for (const job of this.#jobs.values()) job.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#jobs.keys()].map((id) => this.remove(id)));
  }

  #job(id: string): LocalJob {
    const job = this.#jobs.get(id);
    if (job === undefined) throw gone(id);
    return job;
  }

  async #makeDirectory(): Promise<string> {
    try {
      const directory = await mkdtemp(join(this.#options.workDir, 'job-'));
      await mkdir(join(directory, 'home'));
      await Promise.all(['stdout', 'stderr'].map((name) => writeFile(join(directory, name), '')));
      return directory;
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new AgentError('RUNTIME_FAILED', `no directory for a job could be created: ${why}`, {
        hint: `make ${this.#options.workDir} writable and free space on its disk`,
        cause,
      });
    }
  }

  /** The job's environment and local paths, without the agent's environment. */
  #environment(plan: ContainerPlan, home: string): Readonly<Record<string, string>> {
    return {
      LANG: 'C.UTF-8',
      ...plan.env,
      PATH: this.#options.path,
      HOME: home,
      TMPDIR: home,
      SHAREDCLOUD_INPUT: plan.inputDir,
    };
  }
}

function gone(id: string): AgentError {
  return new AgentError('CONTAINER_GONE', `the process ${id} is gone`);
}
