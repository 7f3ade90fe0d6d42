import type { EngineIdentity } from '../engine-identity.ts';
import type { ImageLayer } from '../image-eviction.ts';
import type { JobNetwork } from '../jobs-network.ts';
import type { ContainerNetworkUse } from '../network-use.ts';

/** A pulled image; containers are created from `id`, which is a digest or an id, never a tag. */
export type ReadyImage = {
  readonly ref: string;
  readonly id: string;
  readonly sizeBytes: number;
  /**
   * The engine's own id of the image, where the pull that made it ready brought one that the engine did not have. Undefined:
   * it brought none, or that is in doubt.
   */
  readonly broughtId?: string | undefined;
  /** The id of the engine's image where that pull only gave this reference to an image that the engine had. */
  readonly namedId?: string | undefined;
};

/** A step of a pull, in bytes of compressed layers. */
export type PullProgress = {
  readonly ref: string;
  /** Of the layers whose sizes are known. */
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** How many layers' sizes are not known yet. */
  readonly unknownLayers: number;
  /** True once, after success and failure alike. */
  readonly finished: boolean;
};

/** The images on this host. */
export interface Images {
  /** The image if it is pulled and allowed. Asks no registry. */
  find(ref: string): Promise<ReadyImage | undefined>;
  /** Pulls the image if it is missing; callers for one image share one pull. Throws IMAGE_* or RUNTIME_*. */
  prepare(ref: string, signal: AbortSignal): Promise<ReadyImage>;
}

/** An image that an engine has, of the owner as well as of the agent. */
export type StoredImage = {
  /** The engine's own id. */
  readonly id: string;
  /** Canonical references: tags, and digests of repositories. */
  readonly names: readonly string[];
  readonly layers: readonly ImageLayer[];
  /** Whether a container has it, stopped ones included. */
  readonly hasContainer: boolean;
};

/** The images that an engine has, for evictions. */
export interface ImageStore {
  /** Without the steps of builds, whose layers their images have as well. Throws RUNTIME_*. */
  list(signal: AbortSignal): Promise<readonly StoredImage[]>;
  /**
   * Removes an image under all of its names, unless a container or another image needs it, or it has got other names since.
   * The disk may show it a little later. Throws RUNTIME_*.
   */
  remove(image: StoredImage, signal: AbortSignal): Promise<'removed' | 'in-use' | 'absent'>;
}

/** How much of this host one job may use. */
export type JobResources = { readonly memoryBytes: number; readonly cpus: number };

/** What a job's container is created from. */
export type ContainerPlan = {
  readonly job: string;
  readonly run: string;
  readonly offerKey: string;
  readonly image: string;
  /** A host directory that is mounted read-only. */
  readonly inputDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly gpu: string | null;
  /** Absent: `none`. */
  readonly network?: JobNetwork;
  /** From 0 on: a number that no other job has that runs now. Absent: 0. */
  readonly neighbour?: number;
  readonly resources: JobResources;
};

/** How a container exited. Times are milliseconds since the epoch by the engine's clock. */
export type Exit = {
  readonly code: number;
  readonly oomKilled: boolean;
  readonly startedAt: number;
  readonly finishedAt: number;
  /**
   * Who ended the container, as far as it was watched: the job itself (or a limit that it exceeded), an engine that stopped,
   * or a client of the engine, this agent included.
   */
  readonly exitOrigin: 'job' | 'engine' | 'external';
  /** Whether somebody started the container again: then nothing of it can be trusted. */
  readonly restarted?: boolean;
  /** How long somebody had paused it, in milliseconds; may be 0 where it ended well. */
  readonly pausedMs?: number;
};

/** How a container that has not ended is seen; `restarted`: it was started again, and stays so. */
export type RunningState = 'running' | 'paused' | 'restarted';

/** A container of this agent that the engine lists. */
export type FoundContainer = {
  readonly id: string;
  readonly job: string;
  readonly state: 'created' | 'running' | 'exited';
  /** Undefined: never started. */
  readonly startedAt: number | undefined;
  /** As in its plan; absent: it was created without a user of its own. */
  readonly neighbour?: number;
};

export type OutputStream = 'stdout' | 'stderr';

export type OutputSink = (stream: OutputStream, chunk: Uint8Array) => void;

/** What executes jobs: Docker, or local processes in the dry run. All containers are one agent's. */
export interface Runtime {
  readonly images: Images;
  /** Absent: jobs do not run in containers. */
  readonly imageStore?: ImageStore | undefined;
  /** Describes the runtime for people. Throws RUNTIME_UNAVAILABLE if jobs cannot run now. */
  probe(signal: AbortSignal): Promise<string>;
  /** Settles once the engine answers. Throws RUNTIME_UNAVAILABLE if it does not within a few seconds. */
  ping(signal: AbortSignal): Promise<void>;
  /** Which engine answers now. Absent: jobs do not run in containers. Throws RUNTIME_UNAVAILABLE. */
  identity?(signal: AbortSignal): Promise<EngineIdentity>;
  /**
   * The id of the agent's own image for test containers, imported if it is missing and never pulled; undefined: there is
   * none for this engine's architecture. Absent: jobs do not run in containers. Throws RUNTIME_*.
   */
  testImage?(signal: AbortSignal): Promise<string | undefined>;
  /** The directory of images and containers; undefined: unknown, or not on this host. */
  readonly storagePath?: string | undefined;
  /** Creates the container without starting it and returns its id. Throws if the job has a container. */
  create(plan: ContainerPlan): Promise<string>;
  /** Starts it. Throws CONTAINER_UNSTARTABLE if the image is the cause, other codes if the host is. */
  start(id: string): Promise<void>;
  /** Passes all output from the first byte to `sink` until the container exits. Returns early when aborted. */
  follow(id: string, sink: OutputSink, signal: AbortSignal): Promise<void>;
  /**
   * Waits for the exit. Throws CONTAINER_GONE if the container no longer exists. `onSeen` is called every few seconds with
   * the state of a container that has not ended.
   */
  wait(id: string, signal: AbortSignal, onSeen?: (seen: RunningState) => void): Promise<Exit>;
  /**
   * Whether a client of the engine sent it a signal shortly before this exit, which one with 0 does not show; absent: this
   * runtime has no clients. Throws the signal's reason.
   */
  wasSignalled?(id: string, exit: Exit, signal: AbortSignal): Promise<boolean>;
  /** Asks it to stop and kills it `graceMs` later. Does nothing if it has exited or is gone. */
  stop(id: string, graceMs: number): Promise<void>;
  /** Removes it with its volumes, running or not. Does nothing if it is gone. */
  remove(id: string): Promise<void>;
  list(): Promise<readonly FoundContainer[]>;
  /**
   * The container's address and the bytes that it has sent and received: read now, until the signal aborts, or as read `last`.
   * Undefined or absent: this runtime does not know. Never throws.
   */
  networkUse?(id: string, when: AbortSignal | 'last'): Promise<ContainerNetworkUse | undefined>;
  /** Whether a reload of systemd may take the GPU away from this running container; absent: never. */
  mayLoseGpu?(id: string): boolean;
  /** The bytes that the container has written; undefined or absent if the engine enforces the limit itself. */
  diskBytes?(id: string, signal: AbortSignal): Promise<number | undefined>;
}
