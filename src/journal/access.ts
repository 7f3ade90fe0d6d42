import type { StatementSync } from 'node:sqlite';

/** What the journal lends to each of its parts. */
export type Access = {
  readonly prepared: (sql: string) => StatementSync;
  /** Throws STATE_DIR_UNUSABLE, JOURNAL_UNUSABLE. */
  readonly read: <T>(work: () => T) => T;
  /** Runs in one transaction. Throws STATE_DIR_UNUSABLE, JOURNAL_UNUSABLE. */
  readonly write: <T>(work: () => T) => T;
};
