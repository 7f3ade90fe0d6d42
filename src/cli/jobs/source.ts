import { ENDPOINTS } from '../../control-api/endpoints.ts';
import { AgentError } from '../../domain/errors.ts';
import type { JobStateName } from '../../domain/job.ts';
import { findJob } from '../../journal/find-job.ts';
import { detailsOf } from '../../journal/job-details.ts';
import { type JobSummary, slimOf, summaryOf } from '../../journal/job-summary.ts';
import { type JournalReader, readJournal } from '../../journal/open-journal.ts';
import { LIMITS } from '../../limits.ts';
import { askAgent } from '../ask-agent.ts';
import type { CliContext } from '../command.ts';
import { answerOf, refusalOf } from '../journal-or-agent.ts';
import type { ShownJob } from './json.ts';

/** Which jobs are listed, newest first: at most `limit`, only in these states where some are named. */
export type Wanted = {
  readonly limit: number;
  readonly states: readonly JobStateName[];
  /** Whether their use of the network is wanted: that costs a query per job. */
  readonly withNetwork: boolean;
};

/** Where jobs are read from. */
export type JobSource = {
  list(wanted: Wanted): AsyncIterable<JobSummary> | Iterable<JobSummary>;
  /** Throws JOB_UNKNOWN, JOB_AMBIGUOUS. */
  show(id: string): Promise<ShownJob>;
};

/**
 * The jobs of a state directory: read from its journal, or asked of the running agent by a user who may not look into it,
 * such as a member of the agent's group; undefined: no journal. Throws STATE_DIR_UNUSABLE, JOURNAL_UNUSABLE, AGENT_*.
 */
export async function withJobs<T>(
  context: Pick<CliContext, 'caller' | 'clock'>,
  stateDir: string,
  read: (jobs: JobSource | undefined) => Promise<T>,
): Promise<T> {
  const refusal = await refusalOf(stateDir);
  if (refusal !== undefined) return read(ofAgent(context, stateDir, refusal));
  const journal = readJournal(stateDir);
  try {
    return await read(journal && ofJournal(journal, context));
  } finally {
    journal?.close();
  }
}

function ofJournal(journal: JournalReader, { clock }: Pick<CliContext, 'clock'>): JobSource {
  return {
    *list({ limit, states, withNetwork }) {
      const now = clock.now();
      for (const record of journal.newest(limit, ...states))
        yield summaryOf(slimOf(record), withNetwork ? journal.networkUse(record) : undefined, now);
    },
    async show(id) {
      const record = journal.get(findJob(journal, id));
      // An agent that prunes its journal may have deleted it just now.
      if (record === undefined) throw new AgentError('JOB_UNKNOWN', 'the job was deleted from the journal');
      const { state } = record;
      const report = state.name === 'finished' ? state.report : null;
      return { details: detailsOf(journal, slimOf(record), clock.now()), report };
    },
  };
}

function ofAgent(context: Pick<CliContext, 'caller'>, stateDir: string, refusal: AgentError): JobSource {
  return {
    async *list({ limit, states }) {
      let before: number | null | undefined;
      for (let left = limit; left > 0 && before !== null; ) {
        const query = new URLSearchParams();
        for (const state of states) query.append('state', state);
        query.set('limit', `${Math.min(left, LIMITS.host.listedJobs.max)}`);
        if (before !== undefined) query.set('before', `${before}`);
        const { jobs, next } = await answerOf(
          askAgent(context, stateDir, ENDPOINTS.jobs, { rest: `?${query.toString()}` }),
          refusal,
        );
        yield* jobs;
        left -= jobs.length;
        before = next;
      }
    },
    async show(id) {
      const rest = encodeURIComponent(id);
      return {
        details: await answerOf(askAgent(context, stateDir, ENDPOINTS.job, { rest }), refusal),
        report: null,
      };
    },
  };
}
