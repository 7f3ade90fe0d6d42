import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { JOURNAL_FILE } from '../../../src/journal/open-journal.ts';
import { pruneIntervalMs } from '../../../src/journal/prune.ts';
import { PRUNE_WALKS } from '../../../src/journal/prune-walks.ts';
import { SCHEMA_VERSION } from '../../../src/journal/schema.ts';
import { prune } from '../../support/journal/prune.ts';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

const MINUTE = 60_000;
const MIB = 1024 * 1024;

test.each([
  ['a minute', MINUTE, MINUTE],
  ['ten minutes', 10 * MINUTE, 10 * MINUTE],
  ['a month', 30 * 24 * 60 * MINUTE, 60 * MINUTE],
])('a journal that keeps jobs for %s is pruned often enough', (_, keepMs, intervalMs) => {
  expect(pruneIntervalMs(keepMs)).toBe(intervalMs);
});

describe('a journal with very many jobs', () => {
  const many = 2_000;
  /** Fills a journal with jobs that ended a day ago, with one of another state in the midst of them. */
  function fill(path: string): void {
    withJournal(path, (journal) => journal.insert(newJob('shape')));
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    db.exec(`BEGIN;
      WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < ${many})
      INSERT INTO jobs SELECT 1000 + n, 'job-' || n, broker, run, function_name, offer_key, instance, slot, gpu, ask_price,
        image, timeout_ms, CASE n WHEN 100 THEN 'claimed' ELSE 'dropped' END, detail, n, n FROM jobs, n;
      INSERT INTO job_history (uuid, at, state, detail) SELECT uuid, updated_at, state, '{}' FROM jobs WHERE seq > 1000;
      INSERT INTO job_history (uuid, at, state, detail) VALUES ('unknown', 1, 'dropped', '{}');
      COMMIT`);
    db.close();
  }
  const uuids = (path: string, table: string): readonly unknown[] => {
    const db = new DatabaseSync(join(path, JOURNAL_FILE), { readOnly: true });
    const rows = db.prepare(`SELECT DISTINCT uuid FROM ${table} ORDER BY seq`).all();
    db.close();
    return rows.map((row) => row['uuid']);
  };

  test('is pruned in small transactions, of jobs and their history, and of nothing else', () => {
    const path = scratchDir();
    fill(path);
    withJournal(path, (journal) => {
      const steps = journal.pruneInSteps(many);
      let [transactions, left] = [0, many + 1];
      for (let step = steps.next(); step.done !== true; step = steps.next()) {
        transactions += 1;
        const now = uuids(path, 'jobs').length;
        expect(left - now).toBeLessThanOrEqual(250);
        left = now;
      }
      expect(transactions).toBeGreaterThan(2 * (many / 250));
    });
    expect(uuids(path, 'jobs')).toEqual(['shape', 'job-100', `job-${many}`]);
    expect(uuids(path, 'job_history')).toEqual(['shape', 'job-100', `job-${many}`]);
  });

  test('costs a few rows where nothing is old', () => {
    const path = scratchDir();
    fill(path);
    withJournal(path, (journal) => {
      expect([...journal.pruneInSteps(0)]).toHaveLength(PRUNE_WALKS.length);
    });
    expect(uuids(path, 'jobs')).toHaveLength(many + 1);
  });
});

describe('before an older journal is migrated', () => {
  function olderJournal(): { path: string; file: string } {
    const path = scratchDir();
    withJournal(path, (journal) => journal.insert(newJob('old')));
    const file = join(path, JOURNAL_FILE);
    const db = new DatabaseSync(file);
    db.exec(`PRAGMA user_version = ${SCHEMA_VERSION - 1}`);
    db.close();
    return { path, file };
  }
  const copies = (path: string) => readdirSync(path).filter((name) => name.startsWith(`${JOURNAL_FILE}.v`));

  test('a complete copy is made that only its owner can read', () => {
    const { path } = olderJournal();
    withJournal(path, (journal) => expect(journal.get('old')?.state.name).toBe('claiming'));
    const [name = '', ...more] = copies(path);
    expect(more).toEqual([]);
    expect(name).toContain(`.v${SCHEMA_VERSION - 1}-`);
    expect(statSync(join(path, name)).mode & 0o777).toBe(0o600);
    const copy = new DatabaseSync(join(path, name), { readOnly: true });
    expect(copy.prepare('PRAGMA user_version').get()).toEqual({ user_version: SCHEMA_VERSION - 1 });
    expect(copy.prepare('SELECT uuid FROM jobs').all()).toEqual([{ uuid: 'old' }]);
    copy.close();
    withJournal(path, (journal) => journal.insert(newJob('new')));
    expect(copies(path)).toEqual([name]);
  });

  test('a journal of the current version is not copied', () => {
    const path = scratchDir();
    withJournal(path, (journal) => journal.insert(newJob('a')));
    withJournal(path, (journal) => journal.insert(newJob('b')));
    expect(readdirSync(path).filter((name) => name.includes('.v'))).toEqual([]);
  });
});

describe('a journal after many large jobs', () => {
  /** Fills a journal with megabytes of jobs, and prunes all but the first `kept`. */
  function fill(path: string, megabytes: number, kept: number): void {
    withJournal(path, (journal) => {
      for (let n = 0; n < megabytes; n += 1) {
        journal.insert({ ...newJob(`job-${n}`), offerKey: 'x'.repeat(MIB) });
        if (n >= kept) journal.transition(`job-${n}`, stateNamed('dropped'));
      }
      expect(prune(journal, Number.MAX_SAFE_INTEGER)).toBe(megabytes - kept);
    });
  }
  const size = (path: string) => statSync(join(path, JOURNAL_FILE)).size;

  test('is compacted at the next start and keeps its jobs', () => {
    const path = scratchDir();
    fill(path, 20, 2);
    expect(size(path)).toBeGreaterThan(19 * MIB);
    withJournal(path, (journal) => {
      expect(journal.history(5).map(({ uuid }) => uuid)).toEqual(['job-1', 'job-0']);
      expect(size(path)).toBeLessThan(4 * MIB);
    });
    expect(readdirSync(path).filter((name) => name.endsWith('-wal'))).toEqual([]);
  });

  test.each([
    ['little is free', 10, 0],
    ['most is in use', 40, 22],
  ])('is not compacted if %s', (_, megabytes, kept) => {
    const path = scratchDir();
    fill(path, megabytes, kept);
    const before = size(path);
    withJournal(path, () => undefined);
    expect(size(path)).toBe(before);
  });
});

test('a journal that is pruned regularly stays small', () => {
  const path = scratchDir();
  withJournal(path, (journal) => {
    const round = (n: number): number => {
      journal.insert({ ...newJob(`job-${n}`), functionName: 'x'.repeat(60_000) });
      for (const name of ['claimed', 'starting', 'running', 'finished', 'reported'] as const)
        journal.transition(`job-${n}`, stateNamed(name));
      prune(journal, Number.MAX_SAFE_INTEGER);
      return statSync(join(path, JOURNAL_FILE)).size + statSync(join(path, `${JOURNAL_FILE}-wal`)).size;
    };
    const sizes = Array.from({ length: 50 }, (_, n) => round(n));
    expect(Math.max(...sizes)).toBeLessThan(2 * MIB);
  });
});

test('a test write adds no job', () => {
  withJournal(scratchDir(), (journal) => {
    journal.tryWriting();
    journal.tryWriting();
    expect(journal.history(5)).toEqual([]);
  });
});
