import type { JobNetwork } from '../jobs-network.ts';

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
  readonly exitOrigin: 'job' | 'engine' | 'external';
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
  /** Throws RUNTIME_UNAVAILABLE with the hint where jobs cannot run now. Answers a line for people. */
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
  /** Repricer it to stop, and kills it `graceMs` later. Nothing to do where it has ended or is gone. */
  stop(id: string, graceMs: number): Promise<void>;
  /** Removes it with its volumes, running or not. Nothing to do where it is gone. */
  remove(id: string): Promise<void>;
  list(): Promise<readonly FoundContainer[]>;
  /** What the container has written, in bytes; undefined or absent where the engine limits it by itself. */
  diskBytes?(id: string, signal: AbortSignal): Promise<number | undefined>;
}
