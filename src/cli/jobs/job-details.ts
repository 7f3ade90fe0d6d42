import type { JobRecord, Report } from '../../domain/job.ts';
import type { JobEvent } from '../../journal/job-history.ts';
import type { JournalReader } from '../../journal/open-journal.ts';
import { type JobSummary, outcomeOf, summaryOf } from './render.ts';

/** Everything that the journal knows of one job, as `jobs show --json` prints it. Times are ISO 8601; unknown is null. */
export type JobDetails = JobSummary & {
  readonly broker: string | null;
  readonly instance: string;
  readonly slot: string;
  readonly timeoutMs: number;
  readonly container: string | null;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  /** What the agent says in the report about the end of the job. */
  readonly note: string | null;
  /** The sizes of the report's parts in characters. */
  readonly sizes: NonNullable<JobEvent['sizes']> | null;
  readonly buildLogs: string | null;
  /** The whole report, until the broker has accepted it; then it is deleted from the journal. */
  readonly report: (Omit<Report, 'status'> & { readonly status: JobSummary['outcome'] }) | null;
  /** Every change of its state, oldest first. */
  readonly history: readonly HistoryEntry[];
};

type HistoryEntry = Omit<JobEvent, 'at' | 'startedAt' | 'sizes' | 'buildLogs' | 'status'> & {
  readonly at: string;
  readonly outcome: JobSummary['outcome'];
};

/** What the journal knows of a job that is in it. `now` is in milliseconds of the wall clock. */
export function detailsOf(
  journal: Pick<JournalReader, 'brokerOf' | 'events' | 'networkUse'>,
  record: JobRecord,
  now: number,
): JobDetails {
  const events = journal.events(record.uuid);
  // A job that was released may have been claimed again, also by an older agent, which keeps no history.
  const claim = events.findLastIndex(({ at, state }) => state === 'claiming' && at === record.claimedAt);
  const current = claim < 0 ? [] : events.slice(claim);
  const last = <Key extends keyof JobEvent>(key: Key): JobEvent[Key] | undefined =>
    current.findLast((event) => event[key] !== undefined)?.[key];
  const { state } = record;
  const report = state.name === 'finished' ? state.report : undefined;
  const startedAt = last('startedAt') ?? ('startedAt' in state ? state.startedAt : undefined);
  const endedAt =
    current.find((event) => event.state === 'finished')?.at ??
    (state.name === 'finished' ? record.updatedAt : undefined);
  return {
    ...summaryOf({ record, use: journal.networkUse(record) }, now),
    broker: journal.brokerOf(record.uuid) ?? null,
    instance: record.instance,
    slot: record.slot,
    timeoutMs: record.timeoutMs,
    container: last('container') ?? ('container' in state ? state.container : null),
    startedAt: iso(startedAt),
    endedAt: iso(endedAt),
    note: last('note') ?? null,
    sizes: last('sizes') ?? null,
    buildLogs: report?.buildLogs ?? last('buildLogs') ?? null,
    report: report === undefined ? null : { ...report, status: outcomeOf(report.status) },
    history: events.map(({ at, startedAt: _1, sizes: _2, buildLogs: _3, status, ...event }) => ({
      ...event,
      at: new Date(at).toISOString(),
      outcome: outcomeOf(status),
    })),
  };
}

function iso(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}
