import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import { JOB_STATUS, type JobState } from '../../../src/domain/job.ts';
import { JobSumTables } from '../../../src/journal/job-sums.ts';
import { JOURNAL_FILE, openJournal, readJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { aNewJob } from '../../support/domain.ts';
import { prune } from '../../support/journal/prune.ts';
import { BROKER, scratchDir } from '../../support/journal/scratch.ts';

const NOON = Date.UTC(2026, 10, 27, 12);
const DAY_MS = 86_400_000;
const NONE = { succeeded: 0, failed: 0, timeout: 0, released: 0, cancelled: 0 };

function timedJournal(path = scratchDir()): { journal: SqliteJournal; time: { now: number }; path: string } {
  const time = { now: NOON };
  const state = openStateDir(path);
  const journal = openJournal(state, BROKER, { now: () => time.now, monotonic: () => time.now });
  onTestFinished(() => {
    journal.close();
    state.close();
  });
  return { journal, time, path };
}

const report = (status: 3 | 4 | 5) => ({ status, buildLogs: '', stdout: '', stderr: '', result: '' });
const finished = (status: 3 | 4 | 5, durationMs: number): JobState => ({
  name: 'finished',
  report: report(status),
  durationMs,
});
const reported = (status: 3 | 4 | 5, earned: number): JobState => ({
  name: 'reported',
  status,
  durationMs: 60_000,
  earned,
});

function walk(journal: SqliteJournal, uuid: string, ...states: readonly JobState[]): void {
  journal.insert(aNewJob({ uuid, askPrice: 0.1 }));
  for (const state of states) journal.transition(uuid, state);
}
const claimed: JobState = { name: 'claimed' };

test('what has ended is summed by outcome, and a claim that was lost is no job', () => {
  const { journal, time } = timedJournal();
  walk(journal, 'before', claimed, finished(3, 1), reported(3, 9));
  time.now += DAY_MS;
  walk(journal, 'a', claimed, finished(3, 1), reported(3, 0.25));
  walk(journal, 'b', claimed, finished(3, 1), reported(3, 0.5));
  walk(journal, 'c', claimed, finished(4, 1), reported(4, 0));
  walk(journal, 'd', claimed, finished(5, 1), reported(5, 0.125));
  walk(journal, 'e', claimed, { name: 'releasing', why: '' }, { name: 'released', why: '' });
  walk(journal, 'f', claimed, { name: 'cancelling', why: '' }, { name: 'dropped', why: '' });
  walk(journal, 'g', { name: 'dropped', why: 'lost' });
  expect(journal.sums.since(NOON + 1)).toEqual({
    earned: 0.875,
    jobs: { succeeded: 2, failed: 1, timeout: 1, released: 1, cancelled: 1 },
  });
  expect(journal.sums.since(NOON).earned).toBe(9.875);
  expect(journal.sums.since(NOON + DAY_MS + 900_000)).toEqual({ earned: 0, jobs: NONE });
});

test('what the broker has not confirmed yet is pending, at what it should earn', () => {
  const { journal } = timedJournal();
  walk(journal, 'a', claimed, finished(JOB_STATUS.SUCCEEDED, 60_000));
  walk(journal, 'b', claimed, finished(JOB_STATUS.TIMEOUT, 120_000));
  walk(journal, 'c', claimed, finished(JOB_STATUS.FAILED, 60_000));
  walk(journal, 'd', claimed, { name: 'releasing', why: '' });
  const { earned, ...counts } = journal.sums.pending();
  expect(counts).toEqual({ reports: 3, releases: 1 });
  expect(earned).toBeCloseTo(0.3, 9);
  journal.transition('a', reported(3, 0.1));
  expect(journal.sums.pending().reports).toBe(2);
});

test('what is pending is read once until a state changes, here or by another program', () => {
  const { journal, path } = timedJournal();
  walk(journal, 'a', claimed, finished(JOB_STATUS.SUCCEEDED, 60_000));
  const db = new DatabaseSync(join(path, JOURNAL_FILE), { readOnly: true });
  const asked: string[] = [];
  const prepared = (sql: string) => {
    asked.push(sql);
    return db.prepare(sql);
  };
  const sums = new JobSumTables({ prepared, read: (work) => work(), write: (work) => work() });
  const reads = () => asked.filter((sql) => sql.includes('FROM jobs')).length;
  expect([sums.pending().reports, sums.pending().reports, reads()]).toEqual([1, 1, 1]);
  walk(journal, 'b', claimed, { name: 'releasing', why: '' });
  expect([sums.pending().releases, reads()]).toEqual([1, 2]);
  expect([sums.pending().releases, reads()]).toEqual([1, 2]);
  db.close();
  expect(journal.sums.pending()).toEqual(journal.sums.pending());
  journal.transition('a', reported(3, 0.1));
  expect(journal.sums.pending()).toMatchObject({ reports: 0, releases: 1 });
});

test('a journal of an older agent is summed at its first opening, and read without that too', () => {
  const { journal, path } = timedJournal();
  walk(journal, 'a', claimed, finished(3, 1), reported(3, 0.5));
  walk(journal, 'b', claimed, { name: 'releasing', why: '' }, { name: 'released', why: '' });
  const older = new DatabaseSync(join(path, JOURNAL_FILE));
  older.exec('DROP TABLE job_sums');
  const expected = { earned: 0.5, jobs: { ...NONE, succeeded: 1, released: 1 } };
  const reader = readJournal(path);
  expect(reader?.sums.since(NOON)).toEqual(expected);
  reader?.close();
  older.close();
  const copy = scratchDir();
  const source = new DatabaseSync(join(path, JOURNAL_FILE));
  source.exec(`VACUUM INTO '${join(copy, JOURNAL_FILE)}'`);
  source.close();
  expect(timedJournal(copy).journal.sums.since(NOON)).toEqual(expected);
});

test('a day is read by an index, and old sums are deleted', () => {
  const { journal, path, time } = timedJournal();
  walk(journal, 'a', claimed, finished(3, 1), reported(3, 0.5));
  const db = new DatabaseSync(join(path, JOURNAL_FILE), { readOnly: true });
  const plan = db
    .prepare(
      'EXPLAIN QUERY PLAN SELECT outcome, sum(jobs), sum(earned) FROM job_sums WHERE start >= ? GROUP BY outcome',
    )
    .all(NOON);
  expect(JSON.stringify(plan)).toContain('SEARCH');
  db.close();
  time.now += 63 * DAY_MS;
  prune(journal, time.now - 62 * DAY_MS);
  expect(journal.sums.since(0)).toEqual({ earned: 0, jobs: NONE });
});
