import type { BootTime } from './boot-time.ts';

/** What the broker calls the state of a job. */
export const JOB_STATUS = { CREATED: 1, IN_PROGRESS: 2, SUCCEEDED: 3, FAILED: 4, TIMEOUT: 5 } as const;
export type FinalStatus = typeof JOB_STATUS.SUCCEEDED | typeof JOB_STATUS.FAILED | typeof JOB_STATUS.TIMEOUT;

/** A job as the broker shows it; only what the agent needs. */
export type BrokerJob = {
  readonly uuid: string;
  readonly run: string;
  readonly functionName: string;
  /** The job's inner tuple as a Python literal. */
  readonly arguments: string;
  readonly status: number;
  readonly instance: string | null;
  /** How long the broker keeps the job for an instance that it does not see, in seconds; undefined: no leases. */
  readonly leaseSeconds: number | undefined;
  /** US dollars, once the job has ended. */
  readonly cost: number | undefined;
};

/** What the broker is told about a job that has ended. */
export type Report = {
  readonly status: FinalStatus;
  readonly buildLogs: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly result: string;
};

/**
 * Where a job stands here. It begins as `claiming` (written before the claim is sent) and ends in one of the
 * terminal states. `starting` is written after the container exists and before it is started, so that a crash
 * between the two is told from one before.
 *
 *     claiming -> claimed -> starting -> running -> finished -> reported
 *         |          |           |          |           `-----> dropped    the broker says it is not ours
 *         |          `-----------+----------+--> releasing -> released     the host's fault, or never started
 *         |                      `----------+--> cancelling -> dropped     the broker took it back
 *         `--> dropped (lost race, underbid, gone) | releasing (the claim's answer never came)
 */
export type JobState =
  | { readonly name: 'claiming' }
  | { readonly name: 'claimed' }
  | { readonly name: 'starting'; readonly container: string; readonly since: BootTime }
  | {
      readonly name: 'running';
      readonly container: string;
      /** By the wall clock; `since` is the same by a clock that nobody sets. */
      readonly startedAt: number;
      readonly since: BootTime;
    }
  | { readonly name: 'finished'; readonly report: Report; readonly durationMs: number }
  | {
      readonly name: 'reported';
      readonly status: FinalStatus;
      readonly durationMs: number;
      readonly earned: number;
    }
  | { readonly name: 'releasing'; readonly why: string }
  | { readonly name: 'released'; readonly why: string }
  | { readonly name: 'cancelling'; readonly why: string }
  | { readonly name: 'dropped'; readonly why: string };

export type JobStateName = JobState['name'];

const NEXT: Readonly<Record<JobStateName, readonly JobStateName[]>> = {
  claiming: ['claimed', 'dropped', 'releasing'],
  claimed: ['starting', 'finished', 'releasing', 'cancelling'],
  starting: ['running', 'finished', 'releasing', 'cancelling'],
  running: ['finished', 'releasing', 'cancelling'],
  finished: ['reported', 'dropped'],
  reported: [],
  releasing: ['released', 'dropped'],
  released: ['claiming'],
  cancelling: ['dropped'],
  dropped: ['claiming'],
};

/** Whether a job may go from `from` to `to`. Every change of state in the journal passes here. */
export function canTransition(from: JobStateName, to: JobStateName): boolean {
  return NEXT[from].includes(to);
}

/** Whether a job in this state is over for us: nothing of it is held, owed or running. */
export function isTerminal(name: JobStateName): boolean {
  return name === 'reported' || name === 'released' || name === 'dropped';
}

/** The states in which a job fills its slot: it may run, or may still come to run. Reporting and releasing fill none. */
export const SLOT_STATES = [
  'claiming',
  'claimed',
  'starting',
  'running',
  'cancelling',
] as const satisfies readonly JobStateName[];

/** States in which a job is not over: the broker is owed something. */
export const OPEN_STATES = [
  ...SLOT_STATES,
  'finished',
  'releasing',
] as const satisfies readonly JobStateName[];

/** What is fixed about a job from the moment it is claimed. */
export type NewJob = {
  readonly uuid: string;
  readonly run: string;
  readonly functionName: string;
  readonly offerKey: string;
  readonly instance: string;
  readonly slot: string;
  readonly gpu: string | null;
  /** US dollars per minute, at the time of the claim. */
  readonly askPrice: number;
  /** The image by digest or id, as it will be run. */
  readonly image: string;
  readonly timeoutMs: number;
};

/** A job in the journal. Times are milliseconds of the local wall clock. */
export type JobRecord = NewJob & {
  readonly state: JobState;
  readonly claimedAt: number;
  readonly updatedAt: number;
};

/** What a job earns, in dollars: paid for SUCCEEDED and TIMEOUT, nothing for FAILED. */
export function earnings(status: FinalStatus, askPrice: number, durationMs: number): number {
  return status === JOB_STATUS.FAILED ? 0 : (askPrice * durationMs) / 60_000;
}
