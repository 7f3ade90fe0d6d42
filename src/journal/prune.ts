import type { Clock } from '../domain/ports/clock.ts';
import type { Log } from '../lib/log.ts';
import type { SqliteJournal } from './sqlite-journal.ts';

/** Old jobs are taken out of the journal at least this often. */
const MOST_BETWEEN_MS = 3_600_000;
/** More often is no use: no shorter history can be set. */
const LEAST_BETWEEN_MS = 60_000;

/** How often a journal is pruned whose jobs stay for `keepMs`: so often that it never holds much more than it keeps. */
export function pruneEveryMs(keepMs: number): number {
  return Math.max(Math.min(keepMs, MOST_BETWEEN_MS), LEAST_BETWEEN_MS);
}

/** Takes jobs out of the journal that ended more than `keepMs` ago, now and then again; answers how to end that. */
export function keepPruned(
  journal: SqliteJournal,
  keepMs: number,
  deps: { readonly clock: Clock; readonly log: Log },
): () => void {
  const prune = (): void => {
    try {
      journal.prune(deps.clock.now() - keepMs);
    } catch (thrown) {
      deps.log.warn({ err: thrown }, 'old jobs were not taken out of the journal');
    }
  };
  prune();
  const pruning = setInterval(prune, pruneEveryMs(keepMs));
  return () => clearInterval(pruning);
}
