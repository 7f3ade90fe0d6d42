import { AgentError, asAgentError } from '../domain/errors.ts';
import { type BrokerJob, earnings, type JobRecord, type JobState, type Report } from '../domain/job.ts';
import { type Ending, reportOf, reportOfUnstartable } from '../domain/outcome.ts';
import type { Clock, Exit, FoundContainer, JobFiles, Journal, Output, Runtime } from '../domain/ports.ts';
import type { FunctionSpec } from '../domain/run.ts';
import type { Log } from '../lib/log.ts';
import { type Decided, EndOfJob } from './end-of-job.ts';
import type { Observer } from './events.ts';
import { persist } from './persist.ts';

/** How long a job has between SIGTERM and SIGKILL. */
const STOP_GRACE_MS = 10_000;

/** So often is a start repeated whose answer was lost while the container did not start. */
const START_TRIES = 3;

/** So often is output read that cannot be read, although the engine answers. */
const READ_TRIES = 6;

const SIGKILL = 9;
const SIGTERM = 15;

export type RunJobDeps = {
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  /** Most bytes that a job may write to its disk. */
  readonly diskLimitBytes: number;
  /** Called when the broker is owed a report or a release. */
  readonly onOwed: () => void;
  /** Aborted when the daemon stops: stories end where they are, containers run on. */
  readonly detach: AbortSignal;
};

/** One job's story, from its claim to the journal's `finished`; entered in the middle when a job is adopted. */
export class RunJob {
  readonly #deps: RunJobDeps;
  readonly #active = new Map<string, EndOfJob>();

  constructor(deps: RunJobDeps) {
    this.#deps = deps;
  }

  /** The jobs whose story is being told now. */
  get active(): readonly string[] {
    return [...this.#active.keys()];
  }

  /** Ends a job that the broker has taken back; nothing will be reported. */
  cancel(job: string, why: string): void {
    this.#active.get(job)?.cancel(why);
  }

  /** Runs a claimed job to its end. Never throws for what can go wrong with a job or with this host. */
  async run(record: JobRecord, job: BrokerJob, fn: FunctionSpec): Promise<void> {
    await this.#tell(record, async (end) => {
      const container = await this.#create(record, job, fn);
      if (container === undefined || this.#deps.detach.aborted) return;
      await this.#write(record.uuid, { name: 'starting', container });
      if (end.decided?.kind === 'cancelled') await this.#cancelled(record, container, end.decided.why);
      else await this.#start(record, container, end);
    });
  }

  /** Goes on with a job whose container this or an earlier daemon has made; `starting` or `running` in the journal. */
  async adopt(record: JobRecord, container: FoundContainer): Promise<void> {
    const { clock, observe } = this.#deps;
    await this.#tell(record, async (end) => {
      observe({ kind: 'job-adopted', job: record });
      if (record.state.name === 'running') {
        await this.#watch(record, container.id, record.state.startedAt, end);
      } else if (container.state === 'created') {
        await this.#start(record, container.id, end);
      } else {
        // It was started, and the journal never came to say so. It must not start again.
        const startedAt = container.startedAt ?? clock.now();
        const running = await this.#write(record.uuid, {
          name: 'running',
          container: container.id,
          startedAt,
        });
        await this.#watch(running, container.id, startedAt, end);
      }
    });
  }

  async #tell(record: JobRecord, story: (end: EndOfJob) => Promise<void>): Promise<void> {
    const end = new EndOfJob(this.#deps.detach);
    this.#active.set(record.uuid, end);
    try {
      await story(end);
    } finally {
      this.#active.delete(record.uuid);
      end.close();
    }
  }

  /** undefined: the story ended here. */
  async #create(record: JobRecord, job: BrokerJob, fn: FunctionSpec): Promise<string | undefined> {
    const { files, runtime } = this.#deps;
    try {
      const laid = await files.layOut(record.uuid, fn, job.arguments);
      return await runtime.create({
        job: record.uuid,
        run: record.run,
        offerKey: record.offerKey,
        image: record.image,
        inputDir: laid.inputDir,
        env: laid.env,
        gpu: record.gpu,
      });
    } catch (thrown) {
      // The engine may have made the container although its answer was lost.
      const made = await this.#find(record.uuid);
      await this.#unstartable(record, asAgentError(thrown), made?.id);
      return undefined;
    }
  }

  #find(job: string): Promise<FoundContainer | undefined> {
    const { detach, runtime } = this.#deps;
    return this.#persist(async () => (await runtime.list()).find((found) => found.job === job), detach);
  }

  /** Starts the container, at most once: after any failure the engine is asked whether it runs all the same. */
  async #startOnce(record: JobRecord, container: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#deps.runtime.start(container);
      } catch (thrown) {
        const error = asAgentError(thrown);
        if (error.code === 'CONTAINER_UNSTARTABLE') throw error;
        const found = await this.#find(record.uuid);
        if (found !== undefined && found.state !== 'created') return;
        if (found === undefined || error.code !== 'RUNTIME_UNAVAILABLE' || attempt >= START_TRIES)
          throw error;
      }
    }
  }

  async #start(record: JobRecord, container: string, end: EndOfJob): Promise<void> {
    const { clock, observe } = this.#deps;
    try {
      await this.#startOnce(record, container);
    } catch (thrown) {
      if (this.#deps.detach.aborted) return;
      await this.#unstartable(record, asAgentError(thrown), container);
      return;
    }
    const startedAt = clock.now();
    const running = await this.#write(record.uuid, { name: 'running', container, startedAt });
    observe({ kind: 'job-started', job: running });
    await this.#watch(running, container, startedAt, end);
  }

  /** The image's or the function's fault is the job's end; all else is this host's, and the job goes back. */
  async #unstartable(record: JobRecord, error: AgentError, container: string | undefined): Promise<void> {
    if (error.code === 'FUNCTION_INVALID' || error.code === 'CONTAINER_UNSTARTABLE') {
      await this.#finish(record, container, reportOfUnstartable(error.message, buildLogs(record)), 0);
    } else {
      await this.#release(record, container, `${error.code}: ${error.message}`);
    }
  }

  async #watch(record: JobRecord, container: string, startedAt: number, end: EndOfJob): Promise<void> {
    const { clock, detach } = this.#deps;
    const leftMs = record.timeoutMs - Math.max(clock.now() - startedAt, 0);
    end.deadline(leftMs);
    end.watchDisk(this.#deps.runtime, container, this.#deps.diskLimitBytes);
    const output = this.#collect(record, container);
    const alone = await this.#exit(container, end.signal);
    const decided = alone.kind === 'exited' ? undefined : end.decided;
    if (detach.aborted) return;
    if (decided?.kind === 'cancelled') return this.#cancelled(record, container, decided.why);
    if (decided?.kind === 'detached') return;
    if (decided !== undefined) await this.#stop(container);
    const exit = alone.kind === 'exited' ? alone : await this.#exit(container, detach);
    const said = await output;
    if (detach.aborted) return;
    if (exit.kind !== 'exited' || said === undefined) {
      const why = said === undefined ? 'its output cannot be read' : 'its container has vanished';
      await this.#release(record, container, why);
      return;
    }
    const ending = decided === undefined ? exit : endingOf(decided, record.timeoutMs, exit.exit);
    const durationMs = Math.max(exit.exit.finishedAt - exit.exit.startedAt, 0);
    await this.#finish(record, container, reportOf(ending, said, buildLogs(record)), durationMs);
  }

  /** Waits for the container's end through every outage of the engine. */
  async #exit(
    container: string,
    signal: AbortSignal,
  ): Promise<
    | { readonly kind: 'exited'; readonly exit: Exit }
    | { readonly kind: 'gone' }
    | { readonly kind: 'aborted' }
  > {
    const exit = await this.#persist(() => this.#deps.runtime.wait(container, signal), signal);
    if (signal.aborted) return { kind: 'aborted' };
    return exit === undefined ? { kind: 'gone' } : { kind: 'exited', exit };
  }

  /** Collects all output, from the first byte again where the engine broke off. undefined: it cannot be had. */
  #collect(record: JobRecord, container: string): Promise<Output | undefined> {
    const { detach, files, runtime } = this.#deps;
    const again = (error: AgentError, attempt: number): boolean =>
      error.code === 'RUNTIME_UNAVAILABLE' || (error.code !== 'CONTAINER_GONE' && attempt < READ_TRIES);
    return persist({ ...this.#deps, signal: detach, again }, async () => {
      const collector = await files.output(record.uuid);
      await runtime.follow(container, collector.write, detach);
      return collector.end();
    });
  }

  /** Repeats what the engine or the disk denies; undefined where the container is gone or the signal aborted. */
  #persist<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const again = (error: AgentError): boolean => error.code !== 'CONTAINER_GONE';
    return persist({ ...this.#deps, signal, again }, call);
  }

  /**
   * Writes a job's state, for as long as the disk denies it: what happens next must not go ahead of the journal.
   * Throws where the change itself is wrong, or where the daemon is told to end first.
   */
  async #write(job: string, state: JobState): Promise<JobRecord> {
    const { detach, journal } = this.#deps;
    let wrong: AgentError | undefined;
    const again = (error: AgentError): boolean => {
      wrong = error;
      return error.code === 'STATE_DIR_UNUSABLE';
    };
    const record = await persist({ ...this.#deps, signal: detach, again }, () => journal.move(job, state));
    if (record !== undefined) return record;
    throw wrong ?? new AgentError('INTERNAL', `job ${job} was not to become ${state.name} any more`);
  }

  async #stop(container: string): Promise<void> {
    await this.#persist(() => this.#deps.runtime.stop(container, STOP_GRACE_MS), this.#deps.detach);
  }

  async #finish(
    record: JobRecord,
    container: string | undefined,
    report: Report,
    durationMs: number,
  ): Promise<void> {
    const { observe, onOwed } = this.#deps;
    const job = await this.#write(record.uuid, { name: 'finished', report, durationMs });
    const earned = earnings(report.status, record.askPrice, durationMs);
    observe({ kind: 'job-ended', job, report, durationMs, earned });
    onOwed();
    await this.#clear(record, container);
  }

  async #release(record: JobRecord, container: string | undefined, why: string): Promise<void> {
    // The container goes first: once the broker knows of the release, the job may start elsewhere.
    await this.#clear(record, container);
    if (this.#deps.detach.aborted) return;
    const job = await this.#write(record.uuid, { name: 'releasing', why });
    this.#deps.observe({ kind: 'job-releasing', job, why });
    this.#deps.onOwed();
  }

  async #cancelled(record: JobRecord, container: string, why: string): Promise<void> {
    await this.#write(record.uuid, { name: 'cancelling', why });
    await this.#stop(container);
    await this.#clear(record, container);
    if (this.#deps.detach.aborted) return;
    const job = await this.#write(record.uuid, { name: 'dropped', why });
    this.#deps.observe({ kind: 'job-cancelled', job, why });
  }

  /** Removes what the job leaves on this host. */
  async #clear(record: JobRecord, container: string | undefined): Promise<void> {
    const { detach, files, runtime } = this.#deps;
    if (container !== undefined) await this.#persist(() => runtime.remove(container), detach);
    await this.#persist(() => files.remove(record.uuid), detach);
  }
}

/** A job that ended by itself in time, while nobody looked or just then, did not run out of its time. */
function endingOf(
  decided: Decided & { readonly kind: 'deadline' | 'limit' },
  timeoutMs: number,
  exit: Exit,
): Ending {
  if (decided.kind === 'limit') return decided;
  const stopped = exit.code === 128 + SIGKILL || exit.code === 128 + SIGTERM;
  const inTime = exit.finishedAt - exit.startedAt < timeoutMs;
  return inTime && !stopped ? { kind: 'exited', exit } : { kind: 'deadline', timeoutMs };
}

function buildLogs(record: JobRecord): string {
  return `image ${record.image}\n`;
}
