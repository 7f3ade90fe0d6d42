import { z } from 'zod';
import { isTerminal, JOB_STATES } from '../domain/job.ts';
import type { Clock } from '../domain/ports/clock.ts';
import type { Access } from './access.ts';
import { KEEP_HOURS_MS, KEEP_MINUTES_MS } from './gpu-rollups.ts';
import { KEEP_SUMS_MS } from './job-sums.ts';

const DAY_MS = 86_400_000;

/** So many rows are looked at in one transaction: a few milliseconds. */
const BATCH = 250;

/**
 * How the old rows of a table are found: in the order in which they were written, up to a batch that is all newer.
 * `select` takes `beforeMs` and `after`, the last `seq` of the batch before.
 */
export type PruneWalk = {
  readonly select: string;
  readonly remove: string;
  /** Whether each row is a job. */
  readonly countsJobs: boolean;
  /** How long its rows are kept, in milliseconds; undefined: as long as jobs. */
  readonly keepMs?: number;
};

const TERMINAL = Object.values(JOB_STATES)
  .filter(isTerminal)
  .map((name) => `'${name}'`)
  .join();

/** Jobs first: what is stored of a job goes once the job is gone, also one that an older agent has deleted. */
export const PRUNE_WALKS: readonly PruneWalk[] = [
  walk('jobs', 'claimed_at', `state IN (${TERMINAL}) AND updated_at < $beforeMs`),
  walk('job_history', 'at', 'at < $beforeMs AND uuid NOT IN (SELECT uuid FROM jobs)'),
  walk('network_use', 'started_at', 'started_at < $beforeMs AND job NOT IN (SELECT uuid FROM jobs)'),
  walk('job_functions', 'claimed_at', 'claimed_at < $beforeMs AND job NOT IN (SELECT uuid FROM jobs)'),
  walk('job_outputs', 'at', 'at < $beforeMs AND job NOT IN (SELECT uuid FROM jobs)'),
  walk('ledger_jobs', 'at', 'at < $beforeMs AND job NOT IN (SELECT uuid FROM jobs)'),
  walk('job_energy', 'at', 'at < $beforeMs AND job NOT IN (SELECT uuid FROM jobs)'),
  useWalk('gpu_minutes', KEEP_MINUTES_MS),
  useWalk('gpu_hours', KEEP_HOURS_MS),
  useWalk('job_sums', KEEP_SUMS_MS),
];

/** What was written while the clock was ahead does not end the walk: what follows may be old. */
function useWalk(table: string, keepMs: number): PruneWalk {
  const isOld = 'start < $beforeMs';
  const isAhead = `start > $beforeMs + ${keepMs + DAY_MS}`;
  return { ...walk(table, 'start', isOld, `${isOld} OR ${isAhead}`), keepMs };
}

function walk(table: string, time: string, isOld: string, isBefore = `${time} < $beforeMs`): PruneWalk {
  return {
    select: `SELECT seq, ${isOld} AS is_old, ${isBefore} AS is_before
      FROM ${table} WHERE seq > $after ORDER BY seq LIMIT ${BATCH}`,
    remove: `DELETE FROM ${table} WHERE seq = ?`,
    countsJobs: table === 'jobs',
  };
}

/** The rows that a walk selects. */
const walkedRows = z.array(z.object({ seq: z.number(), is_old: z.number(), is_before: z.number() }));

/** Deletes what is old, with a `yield` after each small transaction; returns how many jobs. See `SqliteJournal.pruneInSteps`. */
export function* pruneInSteps(
  access: Access,
  clock: Pick<Clock, 'now'>,
  beforeMs: number,
): Generator<void, number> {
  let pruned = 0;
  for (const walk of PRUNE_WALKS) {
    for (let after = 0, isOver = false; !isOver; ) {
      const before = walk.keepMs === undefined ? beforeMs : clock.now() - walk.keepMs;
      const batch = access.write(() => pruneBatch(access, walk, before, after));
      if (walk.countsJobs) pruned += batch.deleted;
      ({ isOver, last: after } = batch);
      yield;
    }
  }
  return pruned;
}

function pruneBatch({ prepared }: Access, walk: PruneWalk, beforeMs: number, after: number) {
  const rows = walkedRows.parse(prepared(walk.select).all({ beforeMs, after }));
  const old = rows.filter((row) => row.is_old === 1);
  for (const { seq } of old) prepared(walk.remove).run(seq);
  const last = rows.at(-1)?.seq ?? after;
  return { deleted: old.length, isOver: rows.every((row) => row.is_before === 0), last };
}
