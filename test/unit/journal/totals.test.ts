import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { GpuRollup } from '../../../src/domain/gpu-rollup.ts';
import type { FinalStatus, JobState } from '../../../src/domain/job.ts';
import { JOURNAL_FILE, openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { aNewJob } from '../../support/domain.ts';
import { prune } from '../../support/journal/prune.ts';
import { BROKER, scratchDir } from '../../support/journal/scratch.ts';

const NOON = Date.UTC(2026, 10, 27, 12);
const YEAR_MS = 365 * 86_400_000;
const claimed: JobState = { name: 'claimed' };

function timedJournal(path: string): { journal: SqliteJournal; time: { now: number }; close: () => void } {
  const time = { now: NOON };
  const state = openStateDir(path);
  const journal = openJournal(state, BROKER, { now: () => time.now, monotonic: () => time.now });
  const open = new DisposableStack();
  open.defer(() => state.close());
  open.defer(() => journal.close());
  onTestFinished(() => open.dispose());
  return { journal, time, close: () => open.dispose() };
}

function walk(journal: SqliteJournal, uuid: string, offerKey: string, ...states: readonly JobState[]): void {
  journal.insert(aNewJob({ uuid, offerKey }));
  for (const state of states) journal.transition(uuid, state);
}

function reported(status: FinalStatus, earned: number): readonly JobState[] {
  const report = { status, buildLogs: '', stdout: '', stderr: '', result: '' };
  return [
    claimed,
    { name: 'finished', report, durationMs: 1 },
    { name: 'reported', status, durationMs: 1, earned },
  ];
}

function minute(gpu: string, start: number, watts: number): GpuRollup {
  const powerW = { knownMs: 60_000, integral: watts * 60, max: watts };
  return { gpu, start, coveredMs: 60_000, figures: { powerW } };
}

const TOTALS = [
  { offer: 'cpu', outcome: 'failed', jobs: 1, earned: 0 },
  { offer: 'cpu', outcome: 'succeeded', jobs: 1, earned: 0.5 },
  { offer: 'gpu:T4', outcome: 'cancelled', jobs: 1, earned: 0 },
  { offer: 'gpu:T4', outcome: 'released', jobs: 1, earned: 0 },
  { offer: 'gpu:T4', outcome: 'timeout', jobs: 2, earned: 0.375 },
];

function fill(journal: SqliteJournal): void {
  walk(journal, 'a', 'cpu', ...reported(3, 0.5));
  walk(journal, 'b', 'cpu', ...reported(4, 0));
  walk(journal, 'c', 'gpu:T4', ...reported(5, 0.25));
  walk(journal, 'd', 'gpu:T4', ...reported(5, 0.125));
  walk(journal, 'e', 'gpu:T4', claimed, { name: 'releasing', why: '' }, { name: 'released', why: '' });
  walk(journal, 'f', 'gpu:T4', claimed, { name: 'cancelling', why: '' }, { name: 'dropped', why: '' });
  walk(journal, 'g', 'gpu:T4', { name: 'dropped', why: 'lost' });
  journal.gpuRollups.add([minute('GPU-1', NOON, 100), minute('GPU-2', NOON, 10)]);
  journal.gpuRollups.add([minute('GPU-1', NOON + 60_000, 50)]);
}

test('totals outlive every prune and every restart', () => {
  const path = scratchDir();
  const first = timedJournal(path);
  fill(first.journal);
  const energy = new Map([
    ['GPU-1', 9_000],
    ['GPU-2', 600],
  ]);
  expect(first.journal.totals.all()).toEqual(TOTALS);
  expect(first.journal.gpuRollups.energy()).toEqual(energy);
  first.time.now += 3 * YEAR_MS;
  expect(prune(first.journal, first.time.now - 1)).toBe(7);
  expect(first.journal.totals.all()).toEqual(TOTALS);
  first.close();
  const { journal } = timedJournal(path);
  expect(journal.totals.all()).toEqual(TOTALS);
  expect(journal.gpuRollups.energy()).toEqual(energy);
});

test('a journal of an older agent begins with what is still in it', () => {
  const path = scratchDir();
  const first = timedJournal(path);
  fill(first.journal);
  first.close();
  const older = new DatabaseSync(join(path, JOURNAL_FILE));
  older.exec('DROP TABLE job_totals; DROP TABLE gpu_totals');
  older.close();
  const { journal } = timedJournal(path);
  // What was cancelled looks there like a claim that was lost.
  expect(journal.totals.all()).toEqual(TOTALS.filter(({ outcome }) => outcome !== 'cancelled'));
  expect(journal.gpuRollups.energy().get('GPU-1')).toBe(9_000);
});

test('a GPU whose power is not known has no energy, and none is taken away', () => {
  const { journal } = timedJournal(scratchDir());
  journal.gpuRollups.add([{ gpu: 'GPU-1', start: NOON, coveredMs: 60_000, figures: {} }]);
  expect(journal.gpuRollups.energy().size).toBe(0);
  journal.gpuRollups.add([minute('GPU-1', NOON, 5), minute('GPU-1', NOON, -10)]);
  expect(journal.gpuRollups.energy().get('GPU-1')).toBe(300);
});

test('the report that has waited longest is known', () => {
  const { journal, time } = timedJournal(scratchDir());
  expect(journal.totals.oldestReportAt()).toBeUndefined();
  walk(journal, 'a', 'cpu', ...reported(3, 0.5).slice(0, 2));
  time.now += 60_000;
  walk(journal, 'b', 'cpu', ...reported(3, 0.5).slice(0, 2));
  expect(journal.totals.oldestReportAt()).toBe(NOON);
  journal.transition('a', { name: 'reported', status: 3, durationMs: 1, earned: 0 });
  expect(journal.totals.oldestReportAt()).toBe(NOON + 60_000);
});
