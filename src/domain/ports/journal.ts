import type { JobRecord, JobState, JobStateName, NewJob } from '../job.ts';

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
  insert(job: NewJob): JobRecord;
  /** Changes a job's state; throws INTERNAL where `canTransition` says no. */
  transition(uuid: string, state: JobState): JobRecord;
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
