import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';

/** Prunes the whole journal at once; returns how many jobs were deleted. */
export function prune(journal: SqliteJournal, beforeMs: number): number {
  const steps = journal.pruneInSteps(beforeMs);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}
