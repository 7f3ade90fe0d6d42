import type { JobRecord } from '../../domain/job.ts';
import type { FunctionSpec } from '../../domain/run.ts';
import type { JobResult } from './job-result.ts';

/** How a job failed; `outOfMemory`: it says that the GPU’s memory did not suffice. */
export type GpuFailure = { readonly outOfMemory: boolean };

/** What the job runner tells and asks the health of GPUs. Jobs without a GPU concern it not at all. */
export interface GpuMonitor {
  /** A claimed job is about to get its container. */
  jobClaimed(job: JobRecord, fn: FunctionSpec): void;
  /** The job's container was started, or was found by recovery. */
  jobStarted(job: JobRecord): void;
  jobEnded(job: JobRecord, result: JobResult): void;
  /** Settles when the slot of a job that has ended may be filled again. */
  slotVacated(job: JobRecord): Promise<void>;
  /** Why the job's GPU, and so this host, made it fail; undefined: it did not. */
  hostFault(job: JobRecord, failure?: GpuFailure): Promise<string | undefined>;
}
