import type { JOB_STATUS } from '../../../domain/job.ts';

// Rows are never changed, only replaced. Times are milliseconds of the broker's clock.

/** A user: buyer, provider or both. `balance` is in US dollars. */
export type UserRow = {
  readonly uuid: string;
  readonly username: string;
  readonly password: string;
  readonly token: string;
  readonly balance: number;
  readonly earned: number;
  readonly spent: number;
};

/** An image of the catalogue. */
export type ImageRow = {
  readonly uuid: string;
  readonly registryPath: string;
  readonly requiresGpu: boolean;
  readonly runtime: string;
  readonly description: string;
  readonly createdAt: number;
};

/** A function; `image` is the uuid of its image. */
export type FunctionRow = {
  readonly uuid: string;
  readonly name: string;
  readonly code: string;
  readonly runtime: string;
  readonly image: string;
  readonly createdAt: number;
  readonly updatedAt: number;
};

/** A buyer's order. Its names are those at the time of the order. */
export type RunRow = {
  readonly uuid: string;
  readonly owner: string;
  readonly function: string;
  readonly functionName: string;
  readonly baseGpu: string | null;
  readonly baseGpuName: string;
  readonly parameters: string;
  readonly numJobs: number;
  /** US dollars per job and minute. */
  readonly bidPrice: number;
  readonly createdAt: number;
};

export type JobStatus = (typeof JOB_STATUS)[keyof typeof JOB_STATUS];

/** One call of a run's function. */
export type JobRow = {
  readonly uuid: string;
  readonly run: string;
  readonly functionName: string;
  readonly incrementalId: number;
  readonly arguments: string;
  readonly status: JobStatus;
  /** The instance that has the job, or had it at its end; null while it is CREATED. */
  readonly instance: string | null;
  /** The instance's ask at the claim, in US dollars per minute. */
  readonly askPrice: number | null;
  readonly createdAt: number;
  readonly assignedAt: number | null;
  readonly finishedAt: number | null;
  /** US dollars; null until it has ended. */
  readonly cost: number | null;
  readonly buildLogs: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly result: string;
};

/** The broker's numbers for the types of instances. */
export const INSTANCE_TYPE = { CPU: 1, GPU: 2 } as const;
export type InstanceType = (typeof INSTANCE_TYPE)[keyof typeof INSTANCE_TYPE];

/** A provider's offer. */
export type InstanceRow = {
  readonly uuid: string;
  readonly owner: string;
  readonly name: string;
  readonly type: InstanceType;
  readonly gpu: string | null;
  /** US dollars per job and minute. */
  readonly askPrice: number;
  readonly maxNumParallelJobs: number;
  readonly available: boolean;
  /** Registry paths. */
  readonly downloadedImages: readonly string[];
  /** The time of its last request; null: none. */
  readonly lastConnection: number | null;
};
