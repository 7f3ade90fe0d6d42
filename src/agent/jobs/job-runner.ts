import { type End, ranFor, whoseEnd } from '../../domain/attribution.ts';
import { elapsedMs, type Moment, momentAgo, rebooted } from '../../domain/boot-time.ts';
import { type AgentError, asAgentError } from '../../domain/errors.ts';
import { type BrokerJob, JOB_STATUS, type JobRecord } from '../../domain/job.ts';
import type { JobNetwork } from '../../domain/jobs-network.ts';
import { reportOf, reportOfUnstartable } from '../../domain/outcome.ts';
import type { Exit, FoundContainer, HostClock, Output, OutputSink } from '../../domain/ports.ts';
import type { FunctionSpec } from '../../domain/run.ts';
import { anyOf, within } from '../../lib/deadline.ts';
import { persist } from '../retry/retry-until.ts';
import type { DiskWatch } from './disk-quota.ts';
import { JobClosing, type JobClosingDeps, SHORT_GRACE_MS } from './job-finalizer.ts';
import { Listening } from './output-capture.ts';
import { EndOfJob } from './termination.ts';

/** So often is a start repeated whose answer was lost while the container did not start. */
const START_TRIES = 3;
/** A job that cannot be made because the engine is away goes back to the market after this long. */
const CREATE_PATIENCE_MS = 60_000;

const NOTHING_SAID: Output = { stdout: '', stderr: '', result: undefined };

export type RunJobDeps = JobClosingDeps & {
  readonly clock: HostClock;
  readonly disk: DiskWatch;
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
  readonly since: Moment;
  /** Whether it had ended before this agent came to look. */
  readonly unwatched: boolean;
};

/** One job's story, from its claim to the journal's `finished`; entered in the middle when a job is adopted. */
export class RunJob {
  readonly #deps: RunJobDeps;
  readonly #closing: JobClosing;
  readonly #active = new Map<string, EndOfJob>();
  /** Why all jobs are given back; undefined: they are not. */
  #givenBack: string | undefined;

  constructor(deps: RunJobDeps) {
    this.#deps = deps;
    this.#closing = new JobClosing(deps);
  }

  /** The jobs whose story is being told now, but for those that are over and only cannot be cleared away. */
  get active(): readonly string[] {
    return [...this.#active.keys()].filter((job) => !this.#closing.isStuck(job));
  }

  /** Whether the job's story is being told, be it over or not. */
  isTold(job: string): boolean {
    return this.#active.has(job);
  }

  /** Ends a job that the broker has taken back; nothing will be reported. */
  cancel(job: string, why: string): void {
    this.#active.get(job)?.cancel(why);
  }

  /** Ends all jobs, those that are still to come too, and gives them back to the market. */
  giveBack(why: string): void {
    this.#givenBack = why;
    for (const end of this.#active.values()) end.giveBack(why);
  }

  /** Runs a claimed job until its slot may be filled again. Never throws for what goes wrong with a job or this host. */
  async run(record: JobRecord, job: BrokerJob, fn: FunctionSpec): Promise<void> {
    await this.#tell(record, async (end) => {
      const container = await this.#create(record, job, fn);
      if (container === undefined || this.#deps.detach.aborted) return;
      const since = this.#deps.clock.moment();
      await this.#closing.write(record.uuid, { name: 'starting', container, since });
      await this.#start(record, container, end);
    });
  }

  /** As `run`, of a job whose container this or an earlier daemon has made; `starting` or `running` in the journal. */
  async adopt(record: JobRecord, container: FoundContainer): Promise<void> {
    const { clock, observe } = this.#deps;
    const { state } = record;
    if (state.name !== 'starting' && state.name !== 'running') return;
    await this.#tell(record, async (end) => {
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
      const since = momentAgo(clock.moment(), clock.now() - startedAt, state.since);
      const started = { record, ...at, since, unwatched };
      const running = { name: 'running', ...at, since } as const;
      await this.#watch({ ...started, record: await this.#closing.write(record.uuid, running) }, end);
    });
  }

  /** Settles when the job's slot may be filled again, at the latest at the end of its story. */
  async #tell(record: JobRecord, story: (end: EndOfJob) => Promise<void>): Promise<void> {
    const end = new EndOfJob(this.#deps.detach);
    this.#active.set(record.uuid, end);
    if (this.#givenBack !== undefined) end.giveBack(this.#givenBack);
    const over = (): void => {
      this.#active.delete(record.uuid);
      end.close();
    };
    await this.#closing.vacant(record.uuid, story(end).finally(over));
  }

  /** undefined: the story ended here. */
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
    return this.#persist(async () => (await runtime.list()).find((found) => found.job === job), signal);
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

  async #start(record: JobRecord, container: string, end: EndOfJob): Promise<void> {
    const { clock, observe } = this.#deps;
    const { decided } = end;
    if (decided?.kind === 'cancelled') return this.#closing.cancelled(record, container, decided.why);
    if (decided?.kind === 'given-back') return this.#closing.release(record, container, decided.why);
    try {
      await this.#startOnce(record, container);
    } catch (thrown) {
      if (this.#deps.detach.aborted) return;
      await this.#unstartable(record, asAgentError(thrown), container);
      return;
    }
    const startedAt = clock.now();
    // Not from before the start, which may take long: that is no time of the job's.
    const since = clock.moment();
    const running = await this.#closing.write(record.uuid, { name: 'running', container, startedAt, since });
    observe({ kind: 'job-started', job: running });
    await this.#watch({ record: running, container, startedAt, since, unwatched: false }, end);
  }

  /** The image's or the function's fault is the job's end; all else is this host's. */
  async #unstartable(record: JobRecord, error: AgentError, container: string | undefined): Promise<void> {
    if (error.code === 'FUNCTION_INVALID' || error.code === 'CONTAINER_UNSTARTABLE') {
      const report = reportOfUnstartable(error.message, buildLogs(record));
      await this.#closing.finish(record, container, report, 0);
    } else {
      await this.#closing.release(record, container, `${error.code}: ${error.message}`);
    }
  }

  async #watch(started: Started, end: EndOfJob): Promise<void> {
    const { container, record } = started;
    const { clock, detach, disk } = this.#deps;
    const ranMs = elapsedMs(started.since, clock.moment()) ?? Math.max(clock.now() - started.startedAt, 0);
    end.deadline(record.timeoutMs - ranMs);
    using _ = disk.watch(container, end);
    const enough = new AbortController();
    const through = (sink: OutputSink): OutputSink => end.watchOutput(sink, clock);
    const speaker = { job: record.uuid, container, through };
    const output = new Listening(this.#deps, speaker, anyOf(detach, enough.signal));
    try {
      const exit = await this.#exit(container, end.signal);
      const decided = exit === undefined ? end.decided : undefined;
      if (detach.aborted || decided?.kind === 'detached') return;
      if (decided?.kind === 'cancelled') return await this.#closing.cancelled(record, container, decided.why);
      if (exit !== undefined || decided === undefined) {
        const seen = exit === 'gone' ? undefined : exit;
        return await this.#judge(started, seen, undefined, await output.heard(seen));
      }
      const ended = await this.#end(container, decided.kind === 'given-back' ? SHORT_GRACE_MS : undefined);
      if (ended === undefined) enough.abort();
      if (ended === 'gone') await this.#judge(started, undefined, undefined, undefined);
      else await this.#judge(started, ended, decided, (await output.heard(ended)) ?? NOTHING_SAID);
    } finally {
      enough.abort();
    }
  }

  /** Ends a container, and answers its exit; undefined: it withstands that. */
  async #end(container: string, graceMs?: number): Promise<Exit | 'gone' | undefined> {
    const { detach, killPatienceMs } = this.#deps;
    for (let there = await this.#engineAnswers(); ; ) {
      const inTime = within(killPatienceMs, detach);
      await this.#closing.stop(container, inTime, graceMs);
      const exit = await this.#exit(container, inTime);
      if (exit !== undefined || detach.aborted) return exit;
      // An engine that is away may yet tell how it ended: only one that was there can say that it withstands.
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
  async #judge(
    started: Started,
    exit: Exit | undefined,
    decided: End['decided'],
    output: Output | undefined,
  ): Promise<void> {
    const { container, record, since } = started;
    if (this.#deps.detach.aborted) return;
    if (exit === undefined && decided === undefined)
      return this.#closing.release(record, container, 'its container has vanished');
    if (output === undefined) return this.#closing.release(record, container, 'its output cannot be read');
    const now = this.#deps.clock.moment();
    const ranMs = ranFor(exit, elapsedMs(since, now));
    const judgement = whoseEnd({
      exit,
      returned: output.result !== undefined,
      decided,
      timeoutMs: record.timeoutMs,
      ranMs,
      unwatched: started.unwatched,
      rebooted: rebooted(since, now),
    });
    if (judgement.kind === 'release') return this.#closing.release(record, container, judgement.why);
    const report = reportOf(judgement.ending, output, buildLogs(record));
    const failed = report.status === JOB_STATUS.FAILED ? judgement.ending : undefined;
    const fault =
      failed?.kind === 'exited'
        ? (this.#deps.disk.fault(container, failed.exit) ?? (await this.#deps.hostFault(record, failed.exit)))
        : undefined;
    if (this.#deps.detach.aborted) return;
    if (fault !== undefined) return this.#closing.release(record, container, fault);
    await this.#closing.finish(record, container, report, ranMs, { withstands: exit === undefined });
  }

  /** Waits for the container's end through every outage of the engine; undefined: the signal aborted first. */
  async #exit(container: string, signal: AbortSignal): Promise<Exit | 'gone' | undefined> {
    const exit = await this.#persist(() => this.#deps.runtime.wait(container, signal), signal);
    return exit ?? (signal.aborted ? undefined : 'gone');
  }

  /** Repeats what the engine denies; undefined where the container is gone or the signal aborted. */
  #persist<T>(call: () => Promise<T>, signal: AbortSignal): Promise<T | undefined> {
    const again = (error: AgentError): boolean => error.code !== 'CONTAINER_GONE';
    return persist({ ...this.#deps, signal, again }, call);
  }
}

const buildLogs = (record: JobRecord): string => `image ${record.image}\n`;
