import type { EngineIdentity } from '../engine-identity.ts';
import type { JobRecord, JobState, JobStateName, NewJob } from '../job.ts';
import type { NetworkUse } from '../network-use.ts';
import type { DecisionStore } from './decision-store.ts';
import type { EnergyStore } from './energy-store.ts';
import type { ImageRecords } from './image-records.ts';
import type { JobSums } from './job-sums.ts';
import type { OutcomeStore } from './outcome-store.ts';
import type { PriceStore } from './price-store.ts';

/** The journal. Every change is synced to disk before the call returns. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface Journal {
  readonly agentId: string;
  /** The owner's pauses and modes. */
  readonly decisions: DecisionStore;
  /** How jobs ended, by function. */
  readonly outcomes: OutcomeStore;
  /** What offers ask, and why. */
  readonly prices: PriceStore;
  /** What jobs have earned. */
  readonly sums: JobSums;
  /** What is known of images. */
  readonly images: ImageRecords;
  /** What jobs and idle GPUs took. */
  readonly energy: EnergyStore;
  /** The instance that was registered for the offer at this broker. */
  instance(offerKey: string): string | undefined;
  rememberInstance(offerKey: string, instance: string): void;
  /** The lease that this broker named last, in seconds; undefined: none yet. */
  leaseSeconds(): number | undefined;
  rememberLease(seconds: number): void;
  /** The engine that has the containers of the started jobs; undefined: not known. */
  engine(): EngineIdentity | undefined;
  rememberEngine(engine: EngineIdentity): void;
  /**
   * Writes a job as `claiming`, also one that was released or dropped before, with its image by canonical reference. Throws
   * INTERNAL for any other known job.
   */
  insert(job: NewJob, functionUuid?: string, imageRef?: string): JobRecord;
  /** Changes a job's state. Throws INTERNAL for a transition that `canTransition` forbids. */
  transition(uuid: string, state: JobState): JobRecord;
  get(uuid: string): JobRecord | undefined;
  /** Jobs in any of these states, oldest first. */
  inState(...names: readonly JobStateName[]): readonly JobRecord[];
  /** The uuids of the jobs in any of these states, oldest first. Does not read their reports. */
  uuidsIn(...names: readonly JobStateName[]): readonly string[];
  /** The instances of the jobs in any of these states. Does not read their reports. */
  instancesOf(...names: readonly JobStateName[]): readonly string[];
  /** How long the latest jobs of a function took that ended well or by their timeout, newest first, in milliseconds. */
  durationsOf(functionUuid: string): readonly number[];
  /** The latest `limit` jobs, newest first. */
  history(limit: number): readonly JobRecord[];
  /** Writes a container's use of the network, or what has changed of it; what is null stays as it was. */
  recordNetworkUse(use: NetworkUse): void;
  /** Ends at this time the use of all containers but these, which alone are still there. */
  endNetworkUses(containers: readonly string[], at: number): void;
  /** How the job has used the network since its last claim; undefined: not known. */
  networkUse(job: Pick<JobRecord, 'uuid' | 'claimedAt'>): NetworkUse | undefined;
  /** Writes a test row. Throws STATE_DIR_UNUSABLE. */
  tryWriting(): void;
  close(): void;
}
