import type { Moment } from './boot-time.ts';
import type { CatalogueGpu, Gpu } from './gpu.ts';
import type { GpuProcess } from './gpu-memory.ts';
import type { BrokerJob, JobRecord, JobState, JobStateName, NewJob, Report } from './job.ts';
import type { JobNetwork, NetworkChallenge } from './jobs-network.ts';
import type { OfferPlan } from './offer.ts';
import type { FunctionSpec, ImageInfo, Run } from './run.ts';
import type { Xid } from './xid.ts';

/*
 * The agent's view of the world: what it needs of its adapters, in the domain's words.
 * Every call that can wait takes an AbortSignal or has a deadline of its own; every failure is an AgentError.
 */

/** One item of a list that could not be used, and why. */
export type InvalidItem = { readonly uuid: string | undefined; readonly reason: string };

/** The items of a list that can be used, and those that cannot. */
export type Listed<Item> = { readonly items: readonly Item[]; readonly invalid: readonly InvalidItem[] };

/** One look at the market. `unchanged` where the broker said so (304): then `runs` is empty and means nothing. */
export type MarketAnswer = {
  readonly unchanged: boolean;
  readonly runs: readonly Run[];
  readonly invalid: readonly InvalidItem[];
  readonly etag: string | undefined;
  /** Whether the broker held the call (`Preference-Applied`), so that the next may follow at once. */
  readonly waited: boolean;
  readonly retryAfterMs: number | undefined;
};

/** How a claim ended where the broker gave a final word. Everything else is thrown. */
export type ClaimAnswer =
  | { readonly kind: 'claimed'; readonly job: BrokerJob }
  | { readonly kind: 'lost' | 'underbid' | 'gone' };

/** How a report or a release ended where the broker gave a final word. Everything else is thrown. */
export type ReportAnswer =
  | { readonly kind: 'taken'; readonly cost: number | undefined }
  | { readonly kind: 'not-ours' | 'gone' };

/** An instance as the broker knows it. */
export type Instance = {
  readonly uuid: string;
  readonly name: string;
  readonly kind: 'gpu' | 'cpu';
  readonly gpu: string | null;
  readonly askPrice: number;
  readonly maxParallelJobs: number;
  /** Whether it is on the market, as far as the broker says. */
  readonly available: boolean;
  readonly downloadedImages: readonly string[];
};

/** The broker, a method per endpoint. Nothing is retried in here: that is the agent's decision. */
export interface Broker {
  runs(query: {
    /** Who looks; undefined: nobody in particular, so that the broker leaves nothing out. */
    readonly instance: string | undefined;
    readonly etag: string | undefined;
    readonly waitSeconds: number;
    readonly signal: AbortSignal;
  }): Promise<MarketAnswer>;
  /** undefined: the run no longer stands (404). */
  run(uuid: string, signal: AbortSignal): Promise<Run | undefined>;
  /** undefined: 404. */
  function(uuid: string, signal: AbortSignal): Promise<FunctionSpec | undefined>;
  /** undefined: 404. */
  image(uuid: string, signal: AbortSignal): Promise<ImageInfo | undefined>;
  /** The catalogue of GPUs. */
  gpus(signal: AbortSignal): Promise<Listed<CatalogueGpu>>;
  /** The broker's clock, in milliseconds, beside the local wall clock at about that moment. */
  clock(signal: AbortSignal): Promise<{ readonly brokerMs: number; readonly localMs: number } | undefined>;
  /** All instances of this account. */
  instances(signal: AbortSignal): Promise<Listed<Instance>>;
  /** undefined: 404. */
  instance(uuid: string, signal: AbortSignal): Promise<Instance | undefined>;
  createInstance(plan: OfferPlan, signal: AbortSignal): Promise<Instance>;
  updateInstance(uuid: string, plan: OfferPlan, signal: AbortSignal): Promise<Instance>;
  startInstance(uuid: string, signal: AbortSignal): Promise<void>;
  stopInstance(uuid: string, signal: AbortSignal): Promise<void>;
  addImage(instance: string, registryPath: string, signal: AbortSignal): Promise<void>;
  /** The run's jobs that are CREATED. The broker's filter is not trusted. */
  openJobs(run: string, signal: AbortSignal): Promise<Listed<BrokerJob>>;
  /** The jobs that the broker thinks this instance holds; renews their leases. The broker's filter is not trusted. */
  heldJobs(instance: string, signal: AbortSignal): Promise<Listed<BrokerJob>>;
  /** undefined: 404. */
  job(uuid: string, signal: AbortSignal): Promise<BrokerJob | undefined>;
  claim(job: string, instance: string, signal: AbortSignal): Promise<ClaimAnswer>;
  release(job: string, instance: string, signal: AbortSignal): Promise<ReportAnswer>;
  report(job: string, instance: string, report: Report, signal: AbortSignal): Promise<ReportAnswer>;
}

/** An image that is here: `id` is what containers are made of (a digest or id, never a tag). */
export type ReadyImage = { readonly ref: string; readonly id: string; readonly sizeBytes: number };

/** Images on this host. */
export interface Images {
  /** The image if it is here and may be used, without asking any registry. */
  find(ref: string): Promise<ReadyImage | undefined>;
  /** Pulls what is missing; callers for the same image share one pull. Throws IMAGE_* or RUNTIME_*. */
  prepare(ref: string, signal: AbortSignal): Promise<ReadyImage>;
}

/** What a container for a job is made of. */
export type ContainerPlan = {
  readonly job: string;
  readonly run: string;
  readonly offerKey: string;
  readonly image: string;
  /** A directory of this host that the job sees read-only. */
  readonly inputDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly gpu: string | null;
  /** Absent: none. */
  readonly network?: JobNetwork;
};

/** How a container ended. Times are milliseconds since the epoch by the engine's clock. */
export type Exit = {
  readonly code: number;
  readonly oomKilled: boolean;
  readonly startedAt: number;
  readonly finishedAt: number;
  /**
   * Whose doing the end was, as far as it was watched: the job's own (limits count as that), the engine's, which went
   * away and took the container along, or somebody's who killed it through the engine, this agent included.
   */
  readonly endedBy: 'itself' | 'engine' | 'other';
};

/** A container of ours as the engine knows it. */
export type FoundContainer = {
  readonly id: string;
  readonly job: string;
  readonly state: 'created' | 'running' | 'exited';
  /** Undefined where it was never started. */
  readonly startedAt: number | undefined;
};

export type OutputStream = 'stdout' | 'stderr';
export type OutputSink = (stream: OutputStream, chunk: Uint8Array) => void;

/** What executes jobs: Docker, or local processes in the dry run. All containers are those of one agent. */
export interface Runtime {
  readonly images: Images;
  /** Throws RUNTIME_UNAVAILABLE with the mend where jobs cannot run now. Answers a line for people. */
  probe(signal: AbortSignal): Promise<string>;
  /** A word from whoever runs the containers, in a few seconds at most. Throws RUNTIME_UNAVAILABLE where none comes. */
  ping(signal: AbortSignal): Promise<void>;
  /** Where images and containers lie, where that is a directory of this machine and known by now. */
  readonly storagePath?: string | undefined;
  /** Makes the container without starting it; answers its id. A container of the same job is an error. */
  create(plan: ContainerPlan): Promise<string>;
  /** Starts it. Throws CONTAINER_UNSTARTABLE where the image is at fault, other codes where the host is. */
  start(id: string): Promise<void>;
  /** Hands on all output from the first byte until the container ends; an abort ends it early and quietly. */
  follow(id: string, sink: OutputSink, signal: AbortSignal): Promise<void>;
  /** Waits for the end. Throws CONTAINER_GONE where there is no such container any more. */
  wait(id: string, signal: AbortSignal): Promise<Exit>;
  /** Asks it to stop, and kills it `graceMs` later. Nothing to do where it has ended or is gone. */
  stop(id: string, graceMs: number): Promise<void>;
  /** Removes it with its volumes, running or not. Nothing to do where it is gone. */
  remove(id: string): Promise<void>;
  list(): Promise<readonly FoundContainer[]>;
  /** What the container has written, in bytes; undefined or absent where the engine limits it by itself. */
  diskBytes?(id: string, signal: AbortSignal): Promise<number | undefined>;
}

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

/** The network that lets jobs reach the internet and nothing else, as far as it can be seen without root. */
export interface IsolatedNetwork {
  /** What a container on it must find. Throws NETWORK_NOT_READY where it is not there or not as it has to be. */
  challenge(signal: AbortSignal): Promise<NetworkChallenge>;
  /** Watches the engine that answers now: `gone` settles when it has gone, or when the signal aborts. */
  watchEngine(signal: AbortSignal): Promise<{ readonly gone: Promise<void> }>;
}

/** The journal: synced to disk before a call returns. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface Journal {
  readonly agentId: string;
  /** The broker's uuid of the offer, where it was made once. Keyed by broker too. */
  instance(offerKey: string): string | undefined;
  rememberInstance(offerKey: string, instance: string): void;
  /** The lease that this broker named last, in seconds; undefined: none so far. */
  leaseSeconds(): number | undefined;
  rememberLease(seconds: number): void;
  /** Writes a job as `claiming`. One that was released or dropped begins anew; any other that is here is an error. */
  begin(job: NewJob): JobRecord;
  /** Changes a job's state; throws INTERNAL where `mayBecome` says no. */
  move(uuid: string, state: JobState): JobRecord;
  get(uuid: string): JobRecord | undefined;
  /** Jobs in any of these states, oldest first. */
  inState(...names: readonly JobStateName[]): readonly JobRecord[];
  /** The uuids of the jobs in any of these states, oldest first: cheap, however large their reports are. */
  uuidsIn(...names: readonly JobStateName[]): readonly string[];
  /** The instances that jobs in any of these states belong to: as cheap. */
  instancesOf(...names: readonly JobStateName[]): readonly string[];
  /** Newest first. */
  history(limit: number): readonly JobRecord[];
  /** Writes something of no meaning. Throws STATE_DIR_UNUSABLE where nothing can be written now. */
  tryWriting(): void;
  close(): void;
}

/** Reads the GPUs of this host. Throws GPU_*; never hangs. */
export interface GpuProbe {
  gpus(signal: AbortSignal): Promise<readonly Gpu[]>;
  /** The processes that hold memory of a GPU, where the host can tell. */
  processes?(signal: AbortSignal): Promise<readonly GpuProcess[]>;
}

/** The log of this host's kernel, in which the driver tells of GPUs that are sick. */
export interface KernelLog {
  /**
   * Hands on every Xid from now on. Settles when the signal aborts, and where the log breaks off: then it may be
   * followed again. Throws KERNEL_LOG_UNREADABLE where that would be of no use.
   */
  follow(sink: (xid: Xid) => void, signal: AbortSignal): Promise<void>;
}

/** The time. `now` is the wall clock in milliseconds, `monotonic` never goes back or jumps. */
export interface Clock {
  now(): number;
  monotonic(): number;
}

/** The time as the host has it: `moment` can be compared across restarts of the agent, whatever is set meanwhile. */
export interface HostClock extends Clock {
  moment(): Moment;
}
