import type { Clock } from '../domain/ports/clock.ts';
import type { Log } from '../lib/log.ts';
import { sleep } from '../lib/sleep.ts';
import type { SqliteJournal } from './sqlite-journal.ts';

const MAX_INTERVAL_MS = 3_600_000;
/** The shortest history that can be configured. */
const MIN_INTERVAL_MS = 60_000;
/** Between two small transactions. */
const PAUSE_MS = 20;

/** How often a journal is pruned that keeps its jobs for `keepMs`, so that it never has many older ones. */
export function pruneIntervalMs(keepMs: number): number {
  return Math.max(Math.min(keepMs, MAX_INTERVAL_MS), MIN_INTERVAL_MS);
}

/**
 * Deletes jobs that ended more than `keepMs` ago from the journal, regularly and in small transactions with pauses. The
 * first time is a minute after the start, when jobs are claimed. Returns a function that stops it.
 */
export function pruneRegularly(
  journal: Pick<SqliteJournal, 'pruneInSteps'>,
  keepMs: number,
  deps: { readonly clock: Pick<Clock, 'now'>; readonly log: Log },
): () => void {
  const stopped = new AbortController();
  void prune(journal, keepMs, { ...deps, signal: stopped.signal });
  return () => stopped.abort();
}

async function prune(
  journal: Pick<SqliteJournal, 'pruneInSteps'>,
  keepMs: number,
  {
    clock,
    log,
    signal,
  }: { readonly clock: Pick<Clock, 'now'>; readonly log: Log; readonly signal: AbortSignal },
): Promise<void> {
  for (let waitMs = MIN_INTERVAL_MS; await sleep(waitMs, signal); waitMs = pruneIntervalMs(keepMs)) {
    try {
      const steps = journal.pruneInSteps(clock.now() - keepMs);
      while (steps.next().done !== true) if (!(await sleep(PAUSE_MS, signal))) return;
    } catch (thrown) {
      log.warn({ event: 'journal-prune-failed', err: thrown }, 'old jobs not deleted from the journal');
    }
  }
}
