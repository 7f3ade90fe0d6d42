import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { JOB_STATUS, type JobState } from '../../../src/domain/job.ts';
import type { JobPage, JobQuery } from '../../../src/journal/job-list.ts';
import { summaryOf } from '../../../src/journal/job-summary.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { aNewJob } from '../../support/domain.ts';
import { openScratch } from '../../support/journal/scratch.ts';

const REPORT = { buildLogs: '', stdout: 'x'.repeat(100_000), stderr: '', result: '' };
const CLAIMED: JobState = { name: 'claimed' };
const ended = (status: 3 | 4 | 5): readonly JobState[] => [
  CLAIMED,
  { name: 'finished', report: { ...REPORT, status }, durationMs: 1500 },
];
const reported = (status: 3 | 4 | 5): readonly JobState[] => [
  ...ended(status),
  { name: 'reported', status, durationMs: 1500, earned: status === 4 ? 0 : 0.25 },
];

function add(journal: SqliteJournal, more: Parameters<typeof aNewJob>[0], states: readonly JobState[]): void {
  const { uuid } = journal.insert(aNewJob(more));
  for (const state of states) journal.transition(uuid, state);
}

function page(journal: SqliteJournal, query: JobQuery): JobPage {
  const steps = journal.list.page(query);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

const ids = (journal: SqliteJournal, query: Partial<JobQuery> = {}): readonly string[] =>
  page(journal, { limit: 100, ...query }).jobs.map(({ uuid }) => uuid);

test('a job in the list is the same as the whole record, but for its report', () => {
  const journal = openScratch();
  add(journal, { uuid: 'a' }, ended(3));
  add(journal, { uuid: 'b' }, reported(JOB_STATUS.TIMEOUT));
  add(journal, { uuid: 'c' }, [
    CLAIMED,
    { name: 'starting', container: 'c1', since: { boot: 'b', upMs: 1 } },
    { name: 'running', container: 'c1', startedAt: 7, since: { boot: 'b', upMs: 1 } },
  ]);
  add(journal, { uuid: 'd' }, [CLAIMED, { name: 'releasing', why: 'the image is gone' }]);
  const { jobs } = page(journal, { limit: 10 });
  expect(JSON.stringify(jobs)).not.toContain('xxx');
  for (const job of jobs) {
    const record = journal.get(job.uuid);
    expect(job).toMatchObject({ claimedAt: record?.claimedAt, updatedAt: record?.updatedAt });
    expect(journal.list.get(job.uuid)).toEqual(job);
  }
  expect(jobs.map((job) => summaryOf(job, undefined, 100))).toMatchObject([
    { job: 'd', state: 'releasing', why: 'the image is gone' },
    { job: 'c', state: 'running', durationMs: 93, outcome: null },
    { job: 'b', state: 'reported', outcome: 'timeout', earned: 0.25, durationMs: 1500 },
    { job: 'a', state: 'finished', outcome: 'succeeded', earned: null, durationMs: 1500 },
  ]);
});

describe('a list', () => {
  function filled(): SqliteJournal {
    const journal = openScratch();
    add(journal, { uuid: 'a1', functionName: 'Render_50%', gpu: 'GPU-1' }, reported(3));
    add(journal, { uuid: 'b2', functionName: 'Ärger', gpu: null }, reported(4));
    add(journal, { uuid: 'c3', image: 'registry/Team/a_b@sha256:1', gpu: 'GPU-2' }, ended(4));
    add(journal, { uuid: 'D4', functionName: "it's; DROP", gpu: 'GPU-1' }, [CLAIMED]);
    return journal;
  }

  test.each<[Partial<JobQuery>, readonly string[]]>([
    [{}, ['D4', 'c3', 'b2', 'a1']],
    [{ states: ['claimed', 'finished'] }, ['D4', 'c3']],
    [{ states: [] }, ['D4', 'c3', 'b2', 'a1']],
    [{ outcome: 'failed' }, ['c3', 'b2']],
    [{ outcome: 'timeout' }, []],
    [{ gpu: 'GPU-1' }, ['D4', 'a1']],
    [{ gpu: null }, ['b2']],
    [{ text: 'render' }, ['a1']],
    [{ text: '50%' }, ['a1']],
    [{ text: '%' }, ['a1']],
    [{ text: 'ÄRG' }, ['b2']],
    [{ text: 'ä' }, ['b2']],
    [{ text: 'team/A_B' }, ['c3']],
    [{ text: 'd4' }, ['D4']],
    [{ text: '4' }, []],
    [{ text: "'; drop" }, []],
    [{ text: "'s; drop" }, ['D4']],
    [{ text: '' }, ['D4', 'c3', 'b2', 'a1']],
    [{ gpu: 'GPU-1', states: ['reported'], outcome: 'succeeded', text: 'render' }, ['a1']],
  ])('%j has %j', (query, expected) => {
    expect(ids(filled(), query)).toEqual(expected);
  });

  test('of nothing has nothing', () => {
    expect(page(openScratch(), { limit: 5 })).toEqual({ jobs: [], next: undefined });
  });

  test('in pages of any size has every job once, also where some were deleted', () => {
    const journal = openScratch();
    const all = Array.from({ length: 23 }, (_, index) => `job-${index}`);
    for (const [index, uuid] of all.entries())
      add(journal, { uuid, gpu: `GPU-${index % 2}` }, index % 5 === 0 ? [] : [CLAIMED]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 30 }), fc.constantFrom('GPU-0', undefined), (limit, gpu) => {
        const seen: string[] = [];
        let before: number | undefined;
        do {
          const { jobs, next } = page(journal, { limit, before, gpu });
          seen.push(...jobs.map(({ uuid }) => uuid));
          expect(jobs.length).toBeLessThanOrEqual(limit);
          before = next;
        } while (before !== undefined);
        expect(seen).toEqual(all.filter((_, index) => gpu === undefined || index % 2 === 0).toReversed());
      }),
      { numRuns: 50 },
    );
  });
});
