import { JOB_STATUS, type JobRecord, type JobState, type JobStateName } from '../domain/job.ts';
import type { NetworkUse } from '../domain/network-use.ts';

/** A job without its report, which may have megabytes. */
export type SlimJob = Omit<JobRecord, 'state'> & {
  readonly state: {
    readonly name: JobStateName;
    readonly container?: string | undefined;
    readonly startedAt?: number | undefined;
    readonly status?: number | undefined;
    readonly durationMs?: number | undefined;
    readonly earned?: number | undefined;
    readonly why?: string | undefined;
  };
};

/** A job in a list. Times are in milliseconds of the wall clock; what is not known, or not yet, is null. */
export type JobSummary = {
  readonly job: string;
  readonly run: string;
  readonly function: string;
  readonly offer: string;
  readonly gpu: string | null;
  readonly image: string;
  /** See the states of a job in domain/job.ts. */
  readonly state: JobStateName;
  /** How it ended. */
  readonly outcome: 'succeeded' | 'failed' | 'timeout' | null;
  /** Why it was released, cancelled or dropped. */
  readonly why: string | null;
  readonly durationMs: number | null;
  /** US dollars per job and minute, when it was claimed. */
  readonly askPrice: number;
  /** US dollars, once the broker has accepted the report. */
  readonly earned: number | null;
  /** Bytes at the job's network interface, so far. */
  readonly sentBytes: number | null;
  readonly receivedBytes: number | null;
  /** Its IPv4 address in the jobs' network. */
  readonly address: string | null;
  readonly claimedAt: number;
  readonly updatedAt: number;
};

/** A job without its report. Pure. */
export function slimOf(record: JobRecord): SlimJob {
  return { ...record, state: slimState(record.state) };
}

function slimState(state: JobState): SlimJob['state'] {
  if (state.name !== 'finished') return state;
  return { name: state.name, status: state.report.status, durationMs: state.durationMs };
}

/** What the journal has of a job, without its output. `now` is in milliseconds of the wall clock. Pure. */
export function summaryOf(job: SlimJob, use: NetworkUse | undefined, now: number): JobSummary {
  const { durationMs, earned, name, startedAt, status, why } = job.state;
  const isRunning = name === 'running' && startedAt !== undefined;
  return {
    job: job.uuid,
    run: job.run,
    function: job.functionName,
    offer: job.offerKey,
    gpu: job.gpu,
    image: job.image,
    state: name,
    outcome: outcomeOf(status),
    why: why ?? null,
    durationMs: isRunning ? Math.max(0, now - startedAt) : (durationMs ?? null),
    askPrice: job.askPrice,
    earned: earned ?? null,
    sentBytes: use?.traffic?.sentBytes ?? null,
    receivedBytes: use?.traffic?.receivedBytes ?? null,
    address: use?.address ?? null,
    claimedAt: job.claimedAt,
    updatedAt: job.updatedAt,
  };
}

/** How a job ended, by the broker's number; null for none. */
export function outcomeOf(status: number | undefined): JobSummary['outcome'] {
  return OUTCOMES[status ?? 0] ?? null;
}

const OUTCOMES: Readonly<Partial<Record<number, NonNullable<JobSummary['outcome']>>>> = {
  [JOB_STATUS.SUCCEEDED]: 'succeeded',
  [JOB_STATUS.FAILED]: 'failed',
  [JOB_STATUS.TIMEOUT]: 'timeout',
};
