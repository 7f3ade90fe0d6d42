import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { JOB_STATUS, type JobState } from '../../../src/domain/job.ts';
import { JOURNAL_FILE, readJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { LIMITS } from '../../../src/limits.ts';
import { prune } from '../../support/journal/prune.ts';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

type Status = Extract<JobState, { name: 'finished' }>['report']['status'];

/** Writes the life of a job of a function up to its end. */
function finish(
  journal: SqliteJournal,
  job: string,
  fn: string | undefined,
  durationMs: number,
  status: Status = JOB_STATUS.SUCCEEDED,
) {
  journal.insert(newJob(job), fn);
  for (const name of ['claimed', 'starting', 'running'] as const) journal.transition(job, stateNamed(name));
  const report = { status, buildLogs: '', stdout: '', stderr: '', result: '' };
  journal.transition(job, { name: 'finished', report, durationMs });
}

const withNewJournal = (test: (journal: SqliteJournal) => void): void => withJournal(scratchDir(), test);

describe('the durations of a function', () => {
  test('are those of its own jobs that did not fail, newest first, also once they are reported', () => {
    withNewJournal((journal) => {
      finish(journal, 'a', 'f', 100);
      finish(journal, 'b', 'g', 999);
      finish(journal, 'c', 'f', 300.4, JOB_STATUS.TIMEOUT);
      finish(journal, 'd', 'f', 1, JOB_STATUS.FAILED);
      finish(journal, 'e', undefined, 5);
      journal.insert(newJob('f'), 'f');
      journal.transition('a', stateNamed('reported'));
      expect(journal.durationsOf('f')).toEqual([300, 100]);
      expect(journal.durationsOf('unknown')).toEqual([]);
    });
  });

  test('are bounded', () => {
    withNewJournal((journal) => {
      const { max } = LIMITS.journal.durations;
      for (let index = 0; index < max + 3; index += 1) finish(journal, `${index}`, 'f', index);
      expect(journal.durationsOf('f')).toHaveLength(max);
      expect(journal.durationsOf('f')[0]).toBe(max + 2);
    });
  });

  test('of a job that is claimed again are those of its last claim', () => {
    withNewJournal((journal) => {
      journal.insert(newJob('a'), 'f');
      journal.transition('a', stateNamed('dropped'));
      finish(journal, 'a', 'g', 7);
      expect([journal.durationsOf('f'), journal.durationsOf('g')]).toEqual([[], [7]]);
    });
  });

  test('go with their job when the journal is pruned', () => {
    const path = scratchDir();
    withJournal(path, (journal) => {
      finish(journal, 'a', 'f', 7);
      journal.transition('a', stateNamed('reported'));
      finish(journal, 'b', 'f', 8);
      prune(journal, Number.MAX_SAFE_INTEGER);
      expect(journal.durationsOf('f')).toEqual([8]);
    });
  });

  test('are none in a journal that only an older agent has written', () => {
    const path = scratchDir();
    withJournal(path, (journal) => finish(journal, 'a', 'f', 7));
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    db.exec('DROP TABLE job_functions');
    db.close();
    const journal = readJournal(path);
    expect(journal?.durationsOf('f')).toEqual([]);
    journal?.close();
  });

  test('are found by an index, however many jobs there are', () => {
    const path = scratchDir();
    withJournal(path, () => undefined);
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    const plan = db
      .prepare(
        'EXPLAIN QUERY PLAN SELECT duration_ms FROM job_functions WHERE function = ? AND duration_ms IS NOT NULL ORDER BY seq DESC LIMIT ?',
      )
      .all('f', 1);
    db.close();
    expect(plan.map((row) => row['detail'])).toEqual([expect.stringContaining('job_functions_by_function')]);
  });
});
