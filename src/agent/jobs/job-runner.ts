import { attributeExit, type ExitFacts, runtimeMs } from '../../domain/attribution.ts';
import { type BootTime, bootTimeAgo, elapsedMs, rebooted } from '../../domain/boot-time.ts';
import { type AgentError, asAgentError } from '../../domain/errors.ts';
import { type BrokerJob, JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import type { JobNetwork } from '../../domain/jobs-network.ts';
import { reportOf, reportOfUnstartable } from '../../domain/outcome.ts';
import type { HostClock } from '../../domain/ports/clock.ts';
import type { Output } from '../../domain/ports/job-files.ts';
import type { Exit, FoundContainer, OutputSink } from '../../domain/ports/runtime.ts';
import type { FunctionSpec } from '../../domain/run.ts';
import { anySignal, within } from '../../lib/deadline.ts';
import { retryEngine } from '../retry/retry-engine.ts';
import type { DiskQuotaMonitor } from './disk-quota.ts';
import { EVICTION_GRACE_MS, JobFinalizer, type JobFinalizerDeps } from './job-finalizer.ts';
import { OutputCapture } from './output-capture.ts';
import { JobTermination } from './termination.ts';

/** So often is a start repeated whose answer was lost while the container did not start. */
const START_TRIES = 3;
/** A job that cannot be made because the engine is away goes back to the market after this long. */
const CREATE_PATIENCE_MS = 60_000;

const NOTHING_SAID: Output = { stdout: '', stderr: '', result: undefined };

export type JobRunnerDeps = JobFinalizerDeps & {
  readonly clock: HostClock;
  readonly disk: DiskQuotaMonitor;
  /** Why it was this host that made a job end so; undefined: it was not. Asked before it is called FAILED. */
  readonly hostFault: (job: JobRecord, exit: Pick<Exit, 'code' | 'oomKilled'>) => Promise<string | undefined>;
  /** Which network a job gets; `id` is its image. */
  readonly networkFor: (image: { readonly id: string; readonly runtime: string }) => Promise<JobNetwork>;
};

/** A job whose container was started: all that its end is judged by. */
type Started = {
  readonly record: JobRecord;
  readonly container: string;
  /** By the wall clock; the deadline counts from here where `since` does not tell. */
  readonly startedAt: number;
  /** Its start, or not long before or after: what it ran is about the time since then at most. */
  readonly since: BootTime;
  /** Whether it had ended before this agent came to look. */
  readonly unwatched: boolean;
};

/** One job's lifecycle, from its claim to the journal's `finished`; entered in the middle when a job is adopted. */
export class JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #finalizer: JobFinalizer;
  readonly #active = new Map<string, JobTermination>();
  /** Why all jobs are given back; undefined: they are not. */
  #evicted: string | undefined;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
    this.#finalizer = new JobFinalizer(deps);
  }

  /** The jobs whose lifecycle is being told now, but for those that are over and only cannot be cleared away. */
  get active(): readonly string[] {
    return [...this.#active.keys()].filter((job) => !this.#finalizer.isStuck(job));
  }

  /** Whether the job's lifecycle is being told, be it over or not. */
  isActive(job: string): boolean {
    return this.#active.has(job);
  }

  /** Ends a job that the broker has taken back; nothing will be reported. */
  cancel(job: string, why: string): void {
    this.#active.get(job)?.cancel(why);
  }

  /** Ends all jobs, those that are still to come too, and gives them back to the market. */
  evict(why: string): void {
    this.#evicted = why;
    for (const end of this.#active.values()) end.evict(why);
  }

  /** Runs a claimed job until its slot may be filled again. Never throws for what goes wrong with a job or this host. */
  async run(record: JobRecord, job: BrokerJob, fn: FunctionSpec): Promise<void> {
    await this.#lifecycle(record, async (end) => {
      const container = await this.#create(record, job, fn);
      if (container === undefined || this.#deps.detach.aborted) return;
      const since = this.#deps.clock.bootTime();
      await this.#finalizer.write(record.uuid, { name: 'starting', container, since });
      await this.#start(record, container, end);
    });
  }

  /** As `run`, of a job whose container this or an earlier daemon has made; `starting` or `running` in the journal. */
  async adopt(record: JobRecord, container: FoundContainer): Promise<void> {
    const { clock, observe } = this.#deps;
    const { state } = record;
    if (state.name !== 'starting' && state.name !== 'running') return;
    await this.#lifecycle(record, async (end) => {
      observe({ kind: 'job-adopted', job: record });
      if (state.name === 'starting' && container.state === 'created') {
        await this.#start(record, container.id, end);
        return;
      }
      // Where the journal never came to say that it was started, the engine does; it must not start again.
      const startedAt = state.name === 'running' ? state.startedAt : (container.startedAt ?? clock.now());
      const unwatched = container.state === 'exited';
      const at = { container: container.id, startedAt };
      if (state.name === 'running') return this.#watch({ record, ...at, since: state.since, unwatched }, end);
      // What the journal has is from before the start, which may have taken long.
      const since = bootTimeAgo(clock.bootTime(), clock.now() - startedAt, state.since);
      const started = { record, ...at, since, unwatched };
      const running = { name: 'running', ...at, since } as const;
      await this.#watch({ ...started, record: await this.#finalizer.write(record.uuid, running) }, end);
    });
  }

  /** Settles when the job's slot may be filled again, at the latest at the end of its lifecycle. */
  async #lifecycle(record: JobRecord, lifecycle: (end: JobTermination) => Promise<void>): Promise<void> {
    const end = new JobTermination(this.#deps.detach);
    this.#active.set(record.uuid, end);
    if (this.#evicted !== undefined) end.evict(this.#evicted);
    const over = (): void => {
      this.#active.delete(record.uuid);
      end.close();
    };
    await this.#finalizer.vacant(record.uuid, lifecycle(end).finally(over));
  }

  /** undefined: the lifecycle ended here. */
  async #create(record: JobRecord, job: BrokerJob, fn: FunctionSpec): Promise<string | undefined> {
    const { detach, files, runtime } = this.#deps;
    try {
      const finding = this.#deps.networkFor({ id: record.image, runtime: fn.runtime });
      const [laid, network] = await Promise.all([files.layOut(record.uuid, fn, job.arguments), finding]);
      return await runtime.create({
        job: record.uuid,
        run: record.run,
        offerKey: record.offerKey,
        image: record.image,
        inputDir: laid.inputDir,
        env: laid.env,
        gpu: record.gpu,
        network,
      });
    } catch (thrown) {
      // The engine may have made the container although its answer was lost. It never ran, so nobody need wait long.
      const inTime = within(CREATE_PATIENCE_MS, detach);
      const made = await this.#find(record.uuid, inTime);
      await this.#unstartable(record, asAgentError(thrown), made?.id);
      return undefined;
    }
  }

  #find(job: string, signal: AbortSignal): Promise<FoundContainer | undefined> {
    const { runtime } = this.#deps;
    return retryEngine({ ...this.#deps, signal }, async () =>
      (await runtime.list()).find((found) => found.job === job),
    );
  }

  /** Starts the container, at most once: after any failure the engine is asked whether it runs all the same. */
  async #startOnce(record: JobRecord, container: string): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#deps.runtime.start(container);
      } catch (thrown) {
        const error = asAgentError(thrown);
        if (error.code === 'CONTAINER_UNSTARTABLE') throw error;
        const found = await this.#find(record.uuid, this.#deps.detach);
        if (found !== undefined && found.state !== 'created') return;
        if (found === undefined || error.code !== 'RUNTIME_UNAVAILABLE' || attempt >= START_TRIES)
          throw error;
      }
    }
  }

  async #start(record: JobRecord, container: string, end: JobTermination): Promise<void> {
    const { clock, observe } = this.#deps;
    const { reason: decided } = end;
    if (decided?.kind === 'cancelled') return this.#finalizer.cancelled(record, container, decided.why);
    if (decided?.kind === 'evicted') return this.#finalizer.release(record, container, decided.why);
    try {
      await this.#startOnce(record, container);
    } catch (thrown) {
      if (this.#deps.detach.aborted) return;
      await this.#unstartable(record, asAgentError(thrown), container);
      return;
    }
    const startedAt = clock.now();
    // Not from before the start, which may take long: that is no time of the job's.
    const since = clock.bootTime();
    const running = await this.#finalizer.write(record.uuid, {
      name: 'running',
      container,
      startedAt,
      since,
    });
    observe({ kind: 'job-started', job: running });
    await this.#watch({ record: running, container, startedAt, since, unwatched: false }, end);
  }

  /** The image's or the function's fault is the job's end; all else is this host's. */
  async #unstartable(record: JobRecord, error: AgentError, container: string | undefined): Promise<void> {
    if (error.code === 'FUNCTION_INVALID' || error.code === 'CONTAINER_UNSTARTABLE') {
      const report = reportOfUnstartable(error.message, buildLogs(record));
      await this.#finalizer.finish(record, container, report, 0);
    } else {
      await this.#finalizer.release(record, container, `${error.code}: ${error.message}`);
    }
  }

  async #watch(started: Started, end: JobTermination): Promise<void> {
    const { container, record } = started;
    const { clock, detach, disk } = this.#deps;
    const ranMs = elapsedMs(started.since, clock.bootTime()) ?? Math.max(clock.now() - started.startedAt, 0);
    end.deadline(record.timeoutMs - ranMs);
    using _ = disk.watch(container, end);
    const enough = new AbortController();
    const through = (sink: OutputSink): OutputSink => end.watchOutput(sink, clock);
    const speaker = { job: record.uuid, container, through };
    const output = new OutputCapture(this.#deps, speaker, anySignal(detach, enough.signal));
    try {
      const exit = await this.#exit(container, end.signal);
      const decided = exit === undefined ? end.reason : undefined;
      if (detach.aborted || decided?.kind === 'detached') return;
      if (decided?.kind === 'cancelled')
        return await this.#finalizer.cancelled(record, container, decided.why);
      if (exit !== undefined || decided === undefined) {
        const seen = exit === 'gone' ? undefined : exit;
        return await this.#runChecks(started, seen, undefined, await output.output(seen));
      }
      const ended = await this.#end(container, decided.kind === 'evicted' ? EVICTION_GRACE_MS : undefined);
      if (ended === undefined) enough.abort();
      if (ended === 'gone') await this.#runChecks(started, undefined, undefined, undefined);
      else await this.#runChecks(started, ended, decided, (await output.output(ended)) ?? NOTHING_SAID);
    } finally {
      enough.abort();
    }
  }

  /** Ends a container, and answers its exit; undefined: it unkillable that. */
  async #end(container: string, graceMs?: number): Promise<Exit | 'gone' | undefined> {
    const { detach, killPatienceMs } = this.#deps;
    for (let there = await this.#engineAnswers(); ; ) {
      const inTime = within(killPatienceMs, detach);
      await this.#finalizer.stop(container, inTime, graceMs);
      const exit = await this.#exit(container, inTime);
      if (exit !== undefined || detach.aborted) return exit;
      // An engine that is away may yet tell how it ended: only one that was there can say that it unkillable.
      const before = there;
      there = await this.#engineAnswers();
      if (before && there) return undefined;
    }
  }

  #engineAnswers(): Promise<boolean> {
    const asked = this.#deps.runtime.ping(this.#deps.detach);
    return asked.then(() => true).catch(() => false);
  }

  /** Says whose end it was, and acts on that. No exit and nothing decided: the container has vanished. */
  async #runChecks(
    started: Started,
    exit: Exit | undefined,
    decided: ExitFacts['reason'],
    output: Output | undefined,
  ): Promise<void> {
    const { container, record, since } = started;
    if (this.#deps.detach.aborted) return;
    if (exit === undefined && decided === undefined)
      return this.#finalizer.release(record, container, 'its container has vanished');
    if (output === undefined) return this.#finalizer.release(record, container, 'its output cannot be read');
    const now = this.#deps.clock.bootTime();
    const ranMs = runtimeMs(exit, elapsedMs(since, now));
    const judgement = attributeExit({
      exit,
      returned: output.result !== undefined,
      reason: decided,
      timeoutMs: record.timeoutMs,
      ranMs,
      unwatched: started.unwatched,
      rebooted: rebooted(since, now),
    });
    if (judgement.kind === 'release') return this.#finalizer.release(record, container, judgement.why);
    const report = reportOf(judgement.ending, output, buildLogs(record));
    const failed = report.status === JOB_STATUS.FAILED ? judgement.ending : undefined;
    const fault =
      failed?.kind === 'exited'
        ? (this.#deps.disk.fault(container, failed.exit) ?? (await this.#deps.hostFault(record, failed.exit)))
        : undefined;
    if (this.#deps.detach.aborted) return;
    if (fault !== undefined) return this.#finalizer.release(record, container, fault);
    await this.#finalizer.finish(record, container, report, ranMs, { unkillable: exit === undefined });
  }

  /** Waits for the container's end through every outage of the engine; undefined: the signal aborted first. */
  async #exit(container: string, signal: AbortSignal): Promise<Exit | 'gone' | undefined> {
    const wait = (): Promise<Exit> => this.#deps.runtime.wait(container, signal);
    const exit = await retryEngine({ ...this.#deps, signal }, wait);
    return exit ?? (signal.aborted ? undefined : 'gone');
  }
}

const buildLogs = (record: JobRecord): string => `image ${record.image}\n`;
