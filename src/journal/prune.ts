import type { Clock } from '../domain/ports/clock.ts';
import type { Log } from '../lib/log.ts';
import type { SqliteJournal } from './sqlite-journal.ts';

const MAX_INTERVAL_MS = 3_600_000;
/** The shortest history that can be configured. */
const MIN_INTERVAL_MS = 60_000;

/** How often a journal is pruned that keeps its jobs for `keepMs`, so that it never has many older ones. */
export function pruneIntervalMs(keepMs: number): number {
  return Math.max(Math.min(keepMs, MAX_INTERVAL_MS), MIN_INTERVAL_MS);
}

/** Deletes jobs that ended more than `keepMs` ago from the journal, now and regularly. Returns a function that stops it. */
export function pruneRegularly(
  journal: SqliteJournal,
  keepMs: number,
  deps: { readonly clock: Clock; readonly log: Log },
): () => void {
  const prune = (): void => {
    try {
      journal.prune(deps.clock.now() - keepMs);
    } catch (thrown) {
      deps.log.warn({ event: 'journal-prune-failed', err: thrown }, 'old jobs not deleted from the journal');
    }
  };
  prune();
  const timer = setInterval(prune, pruneIntervalMs(keepMs));
  return () => clearInterval(timer);
}
