import { type JobStateName, SLOT_STATES } from '../../domain/job.ts';
import { PHASES, type Phase } from '../../domain/signals.ts';
import { type JournalReader, readJournal } from '../../journal/open-journal.ts';
import { findAgent } from '../../state-dir/running-agent.ts';

const OWED_STATES = ['finished', 'releasing'] as const satisfies readonly JobStateName[];

/** A state directory as seen from outside: who runs on it, and how much is not over. */
export type AgentInspection = {
  readonly agent:
    | { readonly kind: 'none' }
    | { readonly kind: 'here'; readonly pid: number; readonly phase: Phase }
    /** There is one, which cannot be told from here. */
    | { readonly kind: 'hidden'; readonly pid: number | undefined };
  /** How many jobs run, or may still come to run. */
  readonly running: number;
  /** Of how many jobs the broker has to hear: a report or a release. */
  readonly owed: number;
};

/** Looks at a state directory without disturbing anybody. Throws STATE_DIR_UNUSABLE, JOURNAL_UNUSABLE. */
export function inspectAgent(stateDir: string): AgentInspection {
  // The agent first: so what an agent that ends has written last is seen as well.
  const found = findAgent(stateDir);
  const counts = withJournal(stateDir, { running: 0, owed: 0 }, (journal) => ({
    running: journal.uuidsIn(...SLOT_STATES).length,
    owed: journal.uuidsIn(...OWED_STATES).length,
  }));
  if (found.kind !== 'here') return { agent: found, ...counts };
  const phase = PHASES.find((name) => name === found.doing) ?? 'working';
  return { agent: { kind: 'here', pid: found.pid, phase }, ...counts };
}

/** A job that is not over. */
export type OpenJob = {
  readonly job: string;
  readonly function: string;
  readonly state: JobStateName;
};

/** The jobs that are not over, oldest first. Throws as `inspectAgent` does. */
export function openJobsIn(stateDir: string): readonly OpenJob[] {
  return withJournal(stateDir, [], (journal) =>
    journal.inState(...SLOT_STATES, ...OWED_STATES).map((record) => ({
      job: record.uuid,
      function: record.functionName,
      state: record.state.name,
    })),
  );
}

/** What `read` makes of the journal, or `none` where there is no journal. */
function withJournal<T>(stateDir: string, none: T, read: (journal: JournalReader) => T): T {
  const journal = readJournal(stateDir);
  if (journal === undefined) return none;
  try {
    return read(journal);
  } finally {
    journal.close();
  }
}
