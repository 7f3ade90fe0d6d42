import { bootTimeAgo } from '../../domain/boot-time.ts';
import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { JobRecord } from '../../domain/job.ts';
import type { JobNetwork } from '../../domain/jobs-network.ts';
import { buildLogs, reportOfUnstartable } from '../../domain/outcome.ts';
import type { JobInput, LaidOut } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { FoundContainer, JobResources } from '../../domain/ports/runtime.ts';
import { within } from '../../lib/deadline.ts';
import type { Notifier } from '../../lib/notifier.ts';
import { EVICTION_GRACE_MS, JobContainers, type JobContainersDeps } from './job-containers.ts';
import { JobFinalizer, type JobFinalizerDeps, type Remains } from './job-finalizer.ts';
import { type Departure, departed, type JobResult } from './job-result.ts';
import { JobSupervisor, type JobSupervisorDeps } from './job-supervisor.ts';
import type { OrphanContainers } from './orphan-containers.ts';
import type { SlotLease } from './slot-pool.ts';
import { StartAttribution, type StartAttributionDeps } from './start-attribution.ts';
import { evictionCause, JobTermination } from './termination.ts';

/** A container that cannot be created because the engine is unreachable is looked for this long. */
const FIND_TIMEOUT_MS = 60_000;

export type JobRunnerDeps = JobContainersDeps &
  StartAttributionDeps &
  Omit<JobFinalizerDeps, 'containers' | 'orphanContainers'> &
  Omit<JobSupervisorDeps, 'containers' | 'finalizer'> & {
    readonly orphanContainers: Pick<OrphanContainers, 'remove' | 'has'>;
    /** Notified when nothing is left here of a job that went back to the market, so that it may be claimed again. */
    readonly returned: Notifier<JobRecord>;
    /** What a container that is created now may use. */
    readonly resources: () => JobResources;
    readonly journal: Pick<Journal, 'inState'>;
    /** Which network a job gets; `id` is its image. */
    readonly networkFor: (image: { readonly id: string; readonly runtime: string }) => Promise<JobNetwork>;
    /** Whether engine or state directory have failed since then, by the monotonic clock. */
    readonly failedSince: (since: number) => Promise<boolean>;
  };

/** A job that the broker has given to this host, and what it runs. */
export type ClaimedJob = { readonly record: JobRecord; readonly input: JobInput };

/** `hostFault`: the job ended through this host, and not just because engine or state directory were unavailable. */
export type JobEnd = { readonly result: JobResult; readonly hostFault: boolean };

/** What a job's container is created from, beside what the journal knows. */
type CreationInput = {
  readonly language: string;
  readonly laidOut: Promise<LaidOut>;
  /** Of no other job that runs. */
  readonly neighbour: number;
};

/** What is called as a claimed job goes on. */
export type JobWatch = {
  /** Its code and arguments are on the disk, or cannot be, and no longer in memory. */
  readonly laidOut: () => void;
  /** The engine has started its container. */
  readonly started: () => void;
  /** It has ended. Called before the lease ends, so that the next claim knows of it. */
  readonly ended: (end: JobEnd) => void;
};

/** An eviction that also counts for jobs that are adopted later. */
type EarlyEviction = {
  readonly isMeant: (job: JobRecord) => boolean;
  readonly why: string;
  readonly graceMs: number;
};

/** What is evicted, and when its slots are free. */
export type Eviction = { readonly jobs: readonly JobRecord[]; readonly vacated: Promise<void> };

type ActiveJob = {
  readonly record: JobRecord;
  readonly end: JobTermination;
  /** Settles when its slot is free. */
  readonly vacated: PromiseWithResolvers<void>;
  /** Whether nothing of it runs any more. */
  isOver: boolean;
};

/** Owns jobs from claim, or recovery, until their slots are free again. */
export class JobRunner {
  readonly #deps: JobRunnerDeps;
  readonly #containers: JobContainers;
  readonly #finalizer: JobFinalizer;
  readonly #supervisor: JobSupervisor;
  readonly #starts: StartAttribution;
  readonly #active = new Map<string, ActiveJob>();
  readonly #lives = new Set<Promise<void>>();
  /** Why all jobs are evicted; undefined: they are not. */
  #evicted: string | undefined;
  /** What was evicted while an earlier agent's jobs may yet be adopted; undefined: all are. */
  #early: EarlyEviction[] | undefined = [];
  readonly #recovered = Promise.withResolvers<void>();
  #lastRelease: string | undefined;

  constructor(deps: JobRunnerDeps) {
    this.#deps = deps;
    this.#containers = new JobContainers(deps);
    this.#starts = new StartAttribution(deps);
    this.#finalizer = new JobFinalizer({ ...deps, containers: this.#containers });
    const parts = { containers: this.#containers, finalizer: this.#finalizer };
    this.#supervisor = new JobSupervisor({ ...deps, ...parts });
  }

  /** The jobs in hand, but for those that are over and whose containers cannot be ended. */
  get active(): readonly string[] {
    return [...this.#active.keys()].filter((job) => !this.#finalizer.isStuck(job));
  }

  /** Why the last job that ended here was released; undefined: it was reported. */
  get lastRelease(): string | undefined {
    return this.#lastRelease;
  }

  /** Whether the job is in hand, be it over or not, or has left a container that cannot be removed. */
  isActive(job: string): boolean {
    return this.#active.has(job) || this.#deps.orphanContainers.has(job);
  }

  /** Settles once no slot is leased by a job any more. */
  async settled(): Promise<void> {
    await Promise.all(this.#lives);
  }

  /** Ends a job that the broker has taken back; nothing will be reported. */
  cancel(job: string, why: string): void {
    this.#active.get(job)?.end.cancel(why);
  }

  /** Ends all jobs, those that are still to come too, and releases them. */
  evict(why: string): void {
    this.#evicted = why;
    for (const { end, record } of this.#active.values()) {
      if (end.reason === undefined) end.evict(why);
      else void this.#hurry(record, end, EVICTION_GRACE_MS);
    }
  }

  /**
   * Ends and releases the jobs that run now in these slots; each has `graceMs` between SIGTERM and SIGKILL. Answers them at
   * once, with a promise that settles when their slots are free. Before `recovered`, the jobs of an earlier agent are meant,
   * too: they end once they are adopted, if `isMeant` then says the same. Throws what the journal throws.
   */
  evictFrom(isMeant: (job: JobRecord) => boolean, why: string, graceMs: number): Eviction {
    this.#early?.push({ isMeant, why, graceMs });
    const meant = this.#inHand(isMeant);
    for (const { end, record } of meant) {
      if (end.reason === undefined) end.evict(why, { graceMs });
      else void this.#hurry(record, end, graceMs);
    }
    const jobs = [...meant.map(({ record }) => record), ...this.#yetToAdopt().filter(isMeant)];
    const known = new Set(jobs.map(({ uuid }) => uuid));
    const vacated = async (): Promise<void> => {
      if (this.#early !== undefined) await this.#recovered.promise;
      const all = [...meant, ...this.#inHand((job) => known.has(job.uuid) && isMeant(job))];
      await Promise.all(all.map(({ vacated: { promise } }) => promise));
    };
    return { jobs, vacated: vacated() };
  }

  /** Says that all jobs of an earlier agent that still run are adopted. */
  recovered(): void {
    this.#early = undefined;
    this.#recovered.resolve();
  }

  /** Whether `recovered` was called. */
  get isRecovered(): boolean {
    return this.#early === undefined;
  }

  /** The jobs in hand, as they were claimed or adopted, and those of an earlier agent that may yet be adopted. */
  get jobs(): readonly JobRecord[] {
    const here = [...this.#active.values()].filter(({ isOver }) => !isOver).map(({ record }) => record);
    return [...here, ...this.#yetToAdopt()];
  }

  /** Runs a claimed job. */
  run({ input, record }: ClaimedJob, lease: SlotLease, watch: JobWatch): void {
    this.#deps.gpus.jobClaimed(record, input.fn);
    const { runtime } = input.fn;
    // Called here, so that nothing keeps code and arguments for as long as the job runs.
    const laidOut = this.#deps.files.layOut(record.uuid, input);
    void laidOut.then(watch.laidOut, watch.laidOut);
    this.#own(record, lease, watch.ended, async (end) => {
      const made = await this.#create(record, { language: runtime, laidOut, neighbour: lease.number }, end);
      if ('result' in made) return made;
      const { container } = made;
      if (this.#deps.detach.aborted) return departed({ kind: 'detached' });
      const since = this.#deps.clock.bootTime();
      await this.#finalizer.write(record.uuid, { name: 'starting', container, since });
      return this.#start(record, container, made.network, end, watch.started);
    });
  }

  /** Reattaches to a job that is `starting` or `running` in the journal and has this container. */
  adopt(record: JobRecord, container: FoundContainer, lease: SlotLease): void {
    this.#own(
      record,
      lease,
      () => undefined,
      async (end) => {
        const { clock, gpus, observe } = this.#deps;
        const { state } = record;
        if (state.name !== 'starting' && state.name !== 'running') return departed({ kind: 'detached' });
        observe({ kind: 'job-adopted', job: record });
        gpus.jobStarted(record);
        if (state.name === 'starting' && container.state === 'created')
          return this.#start(record, container.id, undefined, end);
        // Where the journal never came to say that it was started, the engine does; it must not start again.
        const startedAt = state.name === 'running' ? state.startedAt : (container.startedAt ?? clock.now());
        const unwatched = container.state === 'exited';
        const at = { container: container.id, startedAt };
        if (state.name === 'running')
          return this.#supervisor.supervise({ record, ...at, since: state.since, unwatched }, end);
        // What the journal has is from before the start, which may have taken long.
        const since = bootTimeAgo(clock.bootTime(), clock.now() - startedAt, state.since);
        const running = await this.#finalizer.write(record.uuid, { name: 'running', ...at, since });
        return this.#supervisor.supervise({ record: running, ...at, since, unwatched }, end);
      },
    );
  }

  #inHand(isMeant: (job: JobRecord) => boolean): readonly ActiveJob[] {
    return [...this.#active.values()].filter(({ record }) => isMeant(record));
  }

  /** What an earlier agent started, as far as it is not adopted yet; it may run. */
  #yetToAdopt(): readonly JobRecord[] {
    if (this.#early === undefined) return [];
    const started = this.#deps.journal.inState('starting', 'running', 'cancelling');
    return started.filter(({ uuid }) => !this.#active.has(uuid));
  }

  /** Keeps the lease until the slot may be filled again, and the job active until it is cleared. */
  #own(
    record: JobRecord,
    lease: SlotLease,
    onEnd: (end: JobEnd) => void,
    live: (end: JobTermination) => Promise<Departure>,
  ): void {
    const life = this.#live(record, lease, onEnd, live).finally(() => this.#lives.delete(life));
    this.#lives.add(life);
  }

  /** Never throws. */
  async #live(
    record: JobRecord,
    lease: SlotLease,
    onEnd: (end: JobEnd) => void,
    live: (end: JobTermination) => Promise<Departure>,
  ): Promise<void> {
    using _ = lease;
    const { clock, detach, failedSince, gpus } = this.#deps;
    const began = clock.monotonic();
    const end = new JobTermination(detach);
    const active: ActiveJob = { record, end, vacated: Promise.withResolvers(), isOver: false };
    this.#active.set(record.uuid, active);
    if (this.#evicted !== undefined) end.evict(this.#evicted);
    const early = this.#early?.filter(({ isMeant }) => isMeant(record)) ?? [];
    const [first] = early.toSorted((a, b) => a.graceMs - b.graceMs);
    if (first !== undefined) end.evict(first.why, { graceMs: first.graceMs });
    const { cleared, result, vacant } = await live(end).catch((thrown: unknown) =>
      this.#abort(record, began, asAgentError(thrown)),
    );
    void this.#untilCleared(record, end, cleared, result);
    if (result.kind === 'released') this.#lastRelease = result.why;
    if (result.kind === 'reported') this.#lastRelease = undefined;
    gpus.jobEnded(record, result);
    await vacant;
    active.isOver = true;
    await gpus.slotVacated(record);
    active.vacated.resolve();
    const isFault = (result.kind === 'released' && result.cause !== 'owner') || result.kind === 'aborted';
    onEnd({ result, hostFault: isFault && !(await failedSince(began)) });
  }

  async #untilCleared(
    record: JobRecord,
    end: JobTermination,
    cleared: Promise<void>,
    { kind }: JobResult,
  ): Promise<void> {
    using _ = end;
    await cleared;
    this.#active.delete(record.uuid);
    if (kind === 'released' || kind === 'cancelled') this.#deps.returned.notify(record);
  }

  /** Gives a job that is being ended already this much time and no more. Never rejects. */
  async #hurry({ uuid }: JobRecord, end: JobTermination, graceMs: number): Promise<void> {
    // A container that is just being started is stopped after that, and not by what follows.
    end.hurry(graceMs);
    const { detach, unkillableAfterMs } = this.#deps;
    const inTime = within(unkillableAfterMs, detach);
    const found = await this.#containers.find(uuid, inTime);
    if (found !== undefined) await this.#containers.stop(found.id, inTime, graceMs);
  }

  async #abort(record: JobRecord, began: number, { code, message }: AgentError): Promise<Departure> {
    const { detach, failedSince, log } = this.#deps;
    if (detach.aborted) return departed({ kind: 'detached' });
    // An unavailable engine or disk is logged once, not for each job.
    const level = (await failedSince(began)) ? 'debug' : 'error';
    log[level]({ event: 'job-aborted', job: record.uuid, code }, `job aborted: ${message}`);
    return departed({ kind: 'aborted' });
  }

  /** Answers the id of the container and its network, or how the job has ended without one. */
  async #create(
    record: JobRecord,
    { language, laidOut, neighbour }: CreationInput,
    end: JobTermination,
  ): Promise<{ readonly container: string; readonly network: JobNetwork } | Departure> {
    const { detach, networkFor, resources, runtime } = this.#deps;
    try {
      const [laid, network] = await Promise.all([
        laidOut,
        networkFor({ id: record.image, runtime: language }),
      ]);
      const plan = {
        job: record.uuid,
        run: record.run,
        offerKey: record.offerKey,
        image: record.image,
        inputDir: laid.inputDir,
        env: laid.env,
        gpu: record.gpu,
        network,
        neighbour,
        resources: resources(),
      };
      const like = { gpu: record.gpu, network };
      const create = (): Promise<string> => runtime.create(plan);
      return { container: await this.#starts.try(record.image, like, end.signal, create), network };
    } catch (thrown) {
      // The engine may have created the container although its answer was lost.
      const made = await this.#containers.find(record.uuid, within(FIND_TIMEOUT_MS, detach));
      return this.#unstartable(record, asAgentError(thrown), { container: made?.id, mayRun: false });
    }
  }

  async #start(
    record: JobRecord,
    container: string,
    network: JobNetwork | undefined,
    end: JobTermination,
    onStart: () => void = () => undefined,
  ): Promise<Departure> {
    const { clock, detach, gpus, observe } = this.#deps;
    const { reason } = end;
    if (reason?.kind === 'cancelled') return this.#finalizer.cancel(record, container, reason.why);
    if (reason?.kind === 'evicted')
      return this.#finalizer.release(record, { container, mayRun: true }, reason.why, evictionCause(reason));
    const start = (): Promise<void> => this.#containers.start(record.uuid, container);
    try {
      // Of a container that an earlier agent created, the network is not known.
      if (network === undefined) await start();
      else await this.#starts.try(record.image, { gpu: record.gpu, network }, end.signal, start);
    } catch (thrown) {
      if (detach.aborted) return departed({ kind: 'detached' });
      const error = asAgentError(thrown);
      // A start that the engine has not answered may still take effect.
      return this.#unstartable(record, error, { container, mayRun: error.code === 'RUNTIME_UNAVAILABLE' });
    }
    onStart();
    this.#starts.started(record.image, record);
    const startedAt = clock.now();
    // Not from before the start, which may take long: that is no time of the job's.
    const since = clock.bootTime();
    const state = { name: 'running', container, startedAt, since } as const;
    const running = await this.#finalizer.write(record.uuid, state);
    observe({ kind: 'job-started', job: running });
    gpus.jobStarted(running);
    return this.#supervisor.supervise(
      { record: running, container, startedAt, since, unwatched: false },
      end,
    );
  }

  /** A job that cannot start has failed where its image or function is at fault; else this host is. */
  async #unstartable(record: JobRecord, error: AgentError, remains: Remains): Promise<Departure> {
    const { code, message } = error;
    if (code !== 'FUNCTION_INVALID' && code !== 'CONTAINER_UNSTARTABLE') {
      const departure = await this.#finalizer.release(record, remains, `${code}: ${message}`, 'start');
      const { result } = departure;
      return result.kind === 'released' ? { ...departure, result: { ...result, code } } : departure;
    }
    const report = reportOfUnstartable(error.message, buildLogs(record.image));
    return this.#finalizer.report(record, remains, report, 0);
  }
}
