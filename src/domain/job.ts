import type { BootTime } from './boot-time.ts';

/** The broker's numbers for the status of a job. */
export const JOB_STATUS = { CREATED: 1, IN_PROGRESS: 2, SUCCEEDED: 3, FAILED: 4, TIMEOUT: 5 } as const;
export type FinalStatus = typeof JOB_STATUS.SUCCEEDED | typeof JOB_STATUS.FAILED | typeof JOB_STATUS.TIMEOUT;

/** A job at the broker; only the fields that the agent needs. */
export type BrokerJob = {
  readonly uuid: string;
  readonly run: string;
  readonly status: number;
  readonly instance: string | null;
  /** The seconds after which the broker takes the job back from a silent instance; undefined: no leases. */
  readonly leaseSeconds: number | undefined;
  /** US dollars, once the job has ended. */
  readonly cost: number | undefined;
};

/** A job's inner tuple as a Python literal; of one that was too long to be read only its length. */
export type JobArguments = string | { readonly bytes: number };

/** A job at the broker with what it is called with. */
export type JobWithArguments = BrokerJob & {
  readonly arguments: JobArguments;
};

/** What the agent reports to the broker about a job that has ended. */
export type Report = {
  readonly status: FinalStatus;
  readonly buildLogs: string;
  readonly stdout: string;
  readonly stderr: string;
  readonly result: string;
};

/**
 * The state of a job in the journal. `claiming` is written before the claim is sent. `starting` is written after the
 * container is created and before it is started, so that recovery knows whether it may have run.
 *
 *     claiming -> claimed -> starting -> running -> finished -> reported
 *         |          |           |          |           `-----> dropped    no longer ours at the broker
 *         |          `-----------+----------+--> releasing -> released     host failure, or never started
 *         |          `-----------+----------+--> cancelling -> dropped     the broker took it back
 *         `--> dropped (claim rejected) | releasing (no answer to the claim)
 */
export type JobState =
  | { readonly name: 'claiming' }
  | { readonly name: 'claimed' }
  | { readonly name: 'starting'; readonly container: string; readonly since: BootTime }
  | {
      readonly name: 'running';
      readonly container: string;
      /** By the wall clock, in milliseconds; `since` is the same time by a clock that cannot be set. */
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

/** The names of all states. */
export const JOB_STATES = {
  claiming: 'claiming',
  claimed: 'claimed',
  starting: 'starting',
  running: 'running',
  finished: 'finished',
  reported: 'reported',
  releasing: 'releasing',
  released: 'released',
  cancelling: 'cancelling',
  dropped: 'dropped',
} as const satisfies { readonly [Name in JobStateName]: Name };

/** Whether a job may go from `from` to `to`. The journal checks every transition with it. */
export function canTransition(from: JobStateName, to: JobStateName): boolean {
  return NEXT[from].includes(to);
}

/** Whether nothing is left to do for a job in this state: it has no slot, no container and no unsent report. */
export function isTerminal(name: JobStateName): boolean {
  return name === 'reported' || name === 'released' || name === 'dropped';
}

/** The states in which a job occupies its slot, because it runs or may still start. */
export const SLOT_STATES = [
  'claiming',
  'claimed',
  'starting',
  'running',
  'cancelling',
] as const satisfies readonly JobStateName[];

/** The states that are not terminal: a claim, a report or a release is pending. */
export const OPEN_STATES = [
  ...SLOT_STATES,
  'finished',
  'releasing',
] as const satisfies readonly JobStateName[];

/** The facts of a job that are fixed at its claim. */
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
  /** The image by digest or id. */
  readonly image: string;
  readonly timeoutMs: number;
};

/** A job in the journal. Times are milliseconds of the local wall clock. */
export type JobRecord = NewJob & {
  readonly state: JobState;
  readonly claimedAt: number;
  readonly updatedAt: number;
};

/** What a job earns, in US dollars: SUCCEEDED and TIMEOUT are paid, FAILED is not. */
export function earnings(status: FinalStatus, askPrice: number, durationMs: number): number {
  return status === JOB_STATUS.FAILED ? 0 : (askPrice * durationMs) / 60_000;
}
