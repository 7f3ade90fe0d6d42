import { expect, onTestFinished, test } from 'vitest';
import type { GpuRollup } from '../../../src/domain/gpu-rollup.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { prune } from '../../support/journal/prune.ts';
import { BROKER, scratchDir } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

const NOON = Date.UTC(2026, 10, 27, 12);
const DAY_MS = 86_400_000;

function timedJournal(): { journal: SqliteJournal; time: { now: number } } {
  const time = { now: NOON };
  const state = openStateDir(scratchDir());
  const journal = openJournal(state, BROKER, { now: () => time.now, monotonic: () => time.now });
  onTestFinished(() => {
    journal.close();
    state.close();
  });
  return { journal, time };
}

function minute(start: number, watts: number, more: Partial<GpuRollup> = {}): GpuRollup {
  const powerW = { knownMs: 60_000, integral: watts * 60, max: watts };
  return { gpu: 'GPU-1', start, coveredMs: 60_000, figures: { powerW }, ...more };
}

test('minutes are kept, and their sum is kept as an hour', () => {
  const { gpuRollups } = timedJournal().journal;
  gpuRollups.add([minute(NOON, 100), minute(NOON + 60_000, 200), minute(NOON, 50, { gpu: 'GPU-2' })]);
  gpuRollups.add([minute(NOON + 120_000, 300), minute(NOON + 3_600_000, 400)]);
  expect(gpuRollups.between('minute', NOON, NOON + 120_000)).toEqual([
    minute(NOON, 100),
    minute(NOON, 50, { gpu: 'GPU-2' }),
    minute(NOON + 60_000, 200),
  ]);
  const powerW = { knownMs: 180_000, integral: 600 * 60, max: 300 };
  expect(gpuRollups.between('hour', NOON, NOON + DAY_MS)).toEqual([
    { gpu: 'GPU-1', start: NOON, coveredMs: 180_000, figures: { powerW } },
    minute(NOON, 50, { gpu: 'GPU-2' }),
    minute(NOON + 3_600_000, 400),
  ]);
});

test('a minute that comes in parts is one, with figures that only some parts know', () => {
  const { gpuRollups } = timedJournal().journal;
  const part = { knownMs: 500, integral: 20, max: 41 };
  gpuRollups.add([{ gpu: 'GPU-1', start: NOON, coveredMs: 500, figures: {} }]);
  gpuRollups.add([{ gpu: 'GPU-1', start: NOON, coveredMs: 500, figures: { temperatureC: part } }]);
  gpuRollups.add([{ gpu: 'GPU-1', start: NOON, coveredMs: 500, figures: {} }]);
  expect(gpuRollups.between('minute', 0, NOON + 1)).toEqual([
    { gpu: 'GPU-1', start: NOON, coveredMs: 1_500, figures: { temperatureC: part } },
  ]);
});

test('nothing is written of several where one cannot be', () => {
  const { gpuRollups } = timedJournal().journal;
  const broken = { ...minute(NOON, 1), start: Number.NaN };
  expect(agentErrorOf(() => gpuRollups.add([minute(NOON, 1), broken])).code).toBe('INTERNAL');
  expect(gpuRollups.between('minute', 0, NOON + DAY_MS)).toEqual([]);
});

test('minutes are deleted after two days and hours after two years, whatever is kept of jobs', () => {
  const { journal, time } = timedJournal();
  journal.gpuRollups.add([minute(NOON, 1), minute(NOON + DAY_MS, 2)]);
  const counts = (): readonly number[] =>
    (['minute', 'hour'] as const).map(
      (span) => journal.gpuRollups.between(span, 0, NOON + 2 * DAY_MS).length,
    );
  prune(journal, NOON + 100 * DAY_MS);
  expect(counts()).toEqual([2, 2]);
  time.now = NOON + 2 * DAY_MS + 1;
  prune(journal, 0);
  expect(counts()).toEqual([1, 2]);
  time.now = NOON + 730 * DAY_MS + 1;
  prune(journal, 0);
  expect(counts()).toEqual([0, 1]);
});

test('what was written while the clock was years ahead keeps nothing else from being deleted', () => {
  const { journal, time } = timedJournal();
  const ahead = Array.from({ length: 600 }, (_, index) => minute(NOON + 3_650 * DAY_MS + index * 60_000, 1));
  journal.gpuRollups.add(ahead);
  journal.gpuRollups.add([minute(NOON, 2)]);
  time.now = NOON + 3 * DAY_MS;
  prune(journal, 0);
  const starts = journal.gpuRollups.between('minute', 0, NOON + 9_999 * DAY_MS).map(({ start }) => start);
  expect(starts).toEqual(ahead.map(({ start }) => start));
});
