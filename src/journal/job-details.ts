import type { NetworkUse } from '../domain/network-use.ts';
import type { JobEvent } from './job-history.ts';
import { type JobSummary, outcomeOf, type SlimJob, summaryOf } from './job-summary.ts';

/** Everything that the journal knows of one job but its report. Times are in milliseconds; unknown is null. */
export type JobDetails = JobSummary & {
  readonly broker: string | null;
  readonly instance: string;
  readonly slot: string;
  readonly timeoutMs: number;
  readonly container: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** What the agent says in the report about the end of the job. */
  readonly note: string | null;
  /** The sizes of the report's parts in characters. */
  readonly sizes: NonNullable<JobEvent['sizes']> | null;
  /** The beginning. */
  readonly buildLogs: string | null;
  /** Every change of its state, oldest first. */
  readonly history: readonly JobChange[];
};

/** A change of a job's state. */
export type JobChange = {
  readonly at: number;
  readonly state: string;
  readonly outcome: JobSummary['outcome'];
  readonly why: string | null;
  readonly container: string | null;
  readonly durationMs: number | null;
  readonly earned: number | null;
  readonly note: string | null;
};

type Journal = {
  brokerOf(uuid: string): string | undefined;
  events(uuid: string): readonly JobEvent[];
  networkUse(job: SlimJob): NetworkUse | undefined;
};

/** What the journal knows of a job that is in it. `now` is in milliseconds of the wall clock. */
export function detailsOf(journal: Journal, job: SlimJob, now: number): JobDetails {
  const events = journal.events(job.uuid);
  // A job that was released may have been claimed again, also by an older agent, which keeps no history.
  const claim = events.findLastIndex(({ at, state }) => state === 'claiming' && at === job.claimedAt);
  const current = claim < 0 ? [] : events.slice(claim);
  const last = <Key extends keyof JobEvent>(key: Key): JobEvent[Key] | undefined =>
    current.findLast((event) => event[key] !== undefined)?.[key];
  const { state } = job;
  return {
    ...summaryOf(job, journal.networkUse(job), now),
    broker: journal.brokerOf(job.uuid) ?? null,
    instance: job.instance,
    slot: job.slot,
    timeoutMs: job.timeoutMs,
    container: last('container') ?? state.container ?? null,
    startedAt: last('startedAt') ?? state.startedAt ?? null,
    endedAt:
      current.find((event) => event.state === 'finished')?.at ??
      (state.name === 'finished' ? job.updatedAt : null),
    note: last('note') ?? null,
    sizes: last('sizes') ?? null,
    buildLogs: last('buildLogs') ?? null,
    history: events.map(changeOf),
  };
}

function changeOf({ at, container, durationMs, earned, note, state, status, why }: JobEvent): JobChange {
  return {
    at,
    state,
    outcome: outcomeOf(status),
    why: why ?? null,
    container: container ?? null,
    durationMs: durationMs ?? null,
    earned: earned ?? null,
    note: note ?? null,
  };
}
