import { type FinalStatus, JOB_STATUS, type JobStateName } from './job.ts';

/** How a job differs between this host's ledger and the broker's books. */
export const DIFFERENCES = {
  'unknown-here': 'this host does not know the job',
  'unknown-at-broker': 'the broker does not know the job, for example because the buyer has deleted its run',
  'amount-differs': 'both know the job, with other amounts',
  'status-differs': 'both know the job, with another end',
  pending: 'the broker has not accepted the report yet, or its answer was lost; the agent goes on reporting',
} as const;
export type DifferenceKind = keyof typeof DIFFERENCES;

/** A job as the journal has it. Money in micro-dollars: what it has earned, or, of a pending report, should earn. */
export type OwnJob = {
  readonly uuid: string;
  readonly state: JobStateName;
  readonly status: FinalStatus | undefined;
  readonly microDollars: number;
};

/** A job that has ended at the broker. */
export type BookedJob = {
  readonly uuid: string;
  readonly instance: string | null;
  readonly status: number;
  /** Undefined: the broker does not say. */
  readonly microDollars: number | undefined;
  /** By this host's clock, in milliseconds; undefined: the broker does not say. */
  readonly endedAt: number | undefined;
};

export type Difference = {
  readonly job: string;
  readonly kind: DifferenceKind;
  /** Null: unknown here. */
  readonly here: Omit<OwnJob, 'uuid'> | null;
  /** Null: unknown there, or not among the jobs that have ended. */
  readonly broker: Pick<BookedJob, 'status' | 'microDollars'> | null;
  /** What the broker has booked beyond what the ledger has; of pending money the ledger has none. */
  readonly microDollars: number;
};

/** How the two differ; undefined: they agree. `theirs` undefined: the broker has no such job that has ended. */
export function differenceOf(own: OwnJob | undefined, theirs: BookedJob | undefined): Difference | undefined {
  if (own === undefined) return theirs && difference(theirs.uuid, 'unknown-here', own, theirs);
  if (own.state === 'finished') return difference(own.uuid, 'pending', own, theirs);
  if (theirs === undefined)
    return own.state === 'reported' ? difference(own.uuid, 'unknown-at-broker', own, theirs) : undefined;
  // A job that was released may be open again, or at work elsewhere.
  if (own.state !== 'reported' && !hasEnded(theirs)) return undefined;
  if (own.status !== theirs.status) return difference(own.uuid, 'status-differs', own, theirs);
  const booked = bookedOf(theirs);
  if (booked === undefined || booked === own.microDollars) return undefined;
  return difference(own.uuid, 'amount-differs', own, theirs);
}

/** What the broker has booked for a job; undefined: it does not say. */
export function bookedOf({ microDollars, status }: BookedJob): number | undefined {
  if (status === JOB_STATUS.SUCCEEDED || status === JOB_STATUS.TIMEOUT) return microDollars;
  return microDollars ?? 0;
}

/** What the ledger has of a job: nothing of a report that the broker has not accepted. */
export function earnedOf({ microDollars, state }: OwnJob): number {
  return state === 'reported' ? microDollars : 0;
}

function hasEnded({ status }: BookedJob): boolean {
  return status !== JOB_STATUS.CREATED && status !== JOB_STATUS.IN_PROGRESS;
}

function difference(
  job: string,
  kind: DifferenceKind,
  own: OwnJob | undefined,
  theirs: BookedJob | undefined,
): Difference {
  const booked = theirs === undefined ? 0 : bookedOf(theirs);
  const earned = own === undefined ? 0 : earnedOf(own);
  return {
    job,
    kind,
    here: own === undefined ? null : { state: own.state, status: own.status, microDollars: own.microDollars },
    broker: theirs === undefined ? null : { status: theirs.status, microDollars: theirs.microDollars },
    microDollars: (booked ?? earned) - earned,
  };
}
