import { ENDPOINTS } from '../control-api/endpoints.ts';
import { type Call, type Route, route } from '../control-api/route.ts';
import { JOB_FILTER } from '../control-api/views.ts';
import { AgentError } from '../domain/errors.ts';
import type { Clock } from '../domain/ports/clock.ts';
import { findJob } from '../journal/find-job.ts';
import { detailsOf } from '../journal/job-details.ts';
import type { JobQuery } from '../journal/job-list.ts';
import { summaryOf } from '../journal/job-summary.ts';
import type { SqliteJournal } from '../journal/sqlite-journal.ts';
import { inSlices } from '../lib/slices.ts';
import { LIMITS } from '../limits.ts';
import { numberIn } from './query.ts';

/** How many jobs a page of the list has where none is asked for. */
const PAGE = 50;

export type JobsParts = {
  readonly journal: Pick<
    SqliteJournal,
    'brokerOf' | 'energy' | 'events' | 'list' | 'matching' | 'networkUse'
  >;
  readonly clock: Pick<Clock, 'now'>;
};

/** The journal's jobs: a list in pages, and each with all that is known. */
export function jobsRoutes({ clock, journal }: JobsParts): readonly Route[] {
  return [
    route(ENDPOINTS.jobs, async (call) => {
      const { jobs, next } = await inSlices(journal.list.page(queryOf(call)));
      const now = clock.now();
      return {
        jobs: jobs.map((job) => summaryOf(job, journal.networkUse(job), now)),
        next: next ?? null,
      };
    }),
    route(ENDPOINTS.job, async ({ rest }) => {
      const job = journal.list.get(findJob(journal, rest));
      // What was deleted just now.
      if (job === undefined) throw new AgentError('JOB_UNKNOWN', 'the job was deleted from the journal');
      return detailsOf(journal, job, clock.now());
    }),
  ];
}

/** Throws CONTROL_INVALID. */
function queryOf(call: Call<unknown>): JobQuery {
  const { query } = call;
  const text = (name: string): string | undefined => query.get(name) ?? undefined;
  const filter = JOB_FILTER.safeParse({
    state: query.getAll('state'),
    outcome: text('outcome'),
    gpu: text('gpu'),
    text: text('text'),
  });
  if (!filter.success) {
    const what = filter.error.issues.map((issue) => `${String(issue.path[0])}: ${issue.message}`);
    throw new AgentError('CONTROL_INVALID', `jobs cannot be filtered like this: ${what.join('; ')}`);
  }
  const { gpu, outcome, state, text: wanted } = filter.data;
  return {
    limit: numberIn(call, 'limit', 1, LIMITS.host.listedJobs.max) ?? PAGE,
    before: numberIn(call, 'before', 0, Number.MAX_SAFE_INTEGER),
    states: state,
    outcome,
    gpu: gpu === 'cpu' ? null : gpu,
    text: wanted,
  };
}
