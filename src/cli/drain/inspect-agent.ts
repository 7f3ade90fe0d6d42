import { type JobStateName, SLOT_STATES } from '../../domain/job.ts';
import { type JournalReader, readJournal } from '../../journal/open-journal.ts';
import { findAgent, type RunningAgent } from '../../state-dir/running-agent.ts';

const PENDING_STATES = ['finished', 'releasing'] as const satisfies readonly JobStateName[];

/** The agent on a state directory, and what it still has to do. */
export type AgentInspection = {
  readonly agent: RunningAgent;
  /** How many jobs run or are about to. */
  readonly running: number;
  /** How many reports and releases are not delivered yet. */
  readonly pending: number;
};

/** Reads lock and journal without disturbing the agent. Throws STATE_DIR_UNUSABLE, JOURNAL_UNUSABLE. */
export function inspectAgent(stateDir: string): AgentInspection {
  // The agent first, so that what it writes just before it exits is read as well.
  const agent = findAgent(stateDir);
  const counts = withJournal(stateDir, { running: 0, pending: 0 }, (journal) => ({
    running: journal.uuidsIn(...SLOT_STATES).length,
    pending: journal.uuidsIn(...PENDING_STATES).length,
  }));
  return { agent, ...counts };
}

/** An unfinished job. */
export type OpenJob = {
  readonly job: string;
  readonly function: string;
  readonly state: JobStateName;
};

/** The unfinished jobs, oldest first. Throws as `inspectAgent` does. */
export function openJobsIn(stateDir: string): readonly OpenJob[] {
  return withJournal(stateDir, [], (journal) =>
    // Mapped one by one: each may have a report of megabytes.
    Array.from(journal.newest(Number.MAX_SAFE_INTEGER, ...SLOT_STATES, ...PENDING_STATES), (record) => ({
      job: record.uuid,
      function: record.functionName,
      state: record.state.name,
    })).toReversed(),
  );
}

/** The result of `read`, or `none` if there is no journal. */
function withJournal<T>(stateDir: string, none: T, read: (journal: JournalReader) => T): T {
  const journal = readJournal(stateDir);
  if (journal === undefined) return none;
  try {
    return read(journal);
  } finally {
    journal.close();
  }
}
