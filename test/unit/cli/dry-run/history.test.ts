import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { LIVE_GPUS } from '../../../../src/cli/dry-run/live/gpus.ts';
import { pastOf } from '../../../../src/cli/dry-run/live/history.ts';
import { LIVE_ASK } from '../../../../src/cli/dry-run/live/samples.ts';
import { writeHistory } from '../../../../src/cli/dry-run/live/write-history.ts';
import { makeWorkDir } from '../../../../src/cli/dry-run/work-dir.ts';
import { isTerminal } from '../../../../src/domain/job.ts';
import { readJournal } from '../../../../src/journal/open-journal.ts';
import { SeededRandom } from '../../../../src/lib/seeded-random.ts';

const NOW = Date.UTC(2026, 10, 27, 9, 30);
const HOUR_MS = 3_600_000;

const past = (seed = 15) =>
  pastOf({
    gpus: LIVE_GPUS,
    image: 'sharedcloud/node24:latest',
    askPrice: LIVE_ASK,
    now: NOW,
    random: new SeededRandom(seed),
  });

describe('the past of a dry run', () => {
  const { jobs, rollups } = past();

  test('is the same for the same seed', () => {
    expect(past()).toEqual({ jobs, rollups });
    expect(past(16)).not.toEqual({ jobs, rollups });
  });

  test('has jobs of every end, one at a time on each GPU, and none that is not over', () => {
    expect(new Set(jobs.map(({ end }) => end))).toEqual(
      new Set(['succeeded', 'failed', 'timeout', 'released']),
    );
    for (const [, own] of Map.groupBy(jobs, ({ gpu }) => gpu)) {
      let freeAt = 0;
      for (const { endedAt, startedAt } of own) {
        expect(startedAt).toBeGreaterThan(freeAt);
        freeAt = endedAt;
      }
      expect(freeAt).toBeLessThan(NOW);
    }
  });

  test('has the use of each GPU by minutes of the last two days, and by hours before', () => {
    const [gpu] = LIVE_GPUS;
    const own = rollups.filter((rollup) => rollup.gpu === gpu.uuid);
    expect(own.filter(({ coveredMs }) => coveredMs === 60_000).length).toBeGreaterThan(48 * 60);
    expect(own.filter(({ coveredMs }) => coveredMs === HOUR_MS)).toHaveLength(12 * 24);
    expect(new Set(own.map(({ start }) => start)).size).toBe(own.length);
  });

  test('ends up in the journal with what it has earned', async () => {
    await using directory = await makeWorkDir();
    const stateDir = join(directory.path, 'state');
    writeHistory(stateDir, 'http://127.0.0.1:1', { jobs, rollups });
    const journal = readJournal(stateDir);
    if (journal === undefined) throw new Error('there is no journal');
    const records = journal.history(10_000);
    expect(records).toHaveLength(jobs.length);
    expect(records.filter(({ state }) => !isTerminal(state.name))).toEqual([]);
    const sums = journal.sums.since(0);
    const paidMs = jobs
      .filter(({ end }) => end === 'succeeded' || end === 'timeout')
      .reduce((sum, { endedAt, startedAt }) => sum + endedAt - startedAt, 0);
    expect(sums.earned).toBeCloseTo((LIVE_ASK * paidMs) / 60_000, 6);
    expect(sums.jobs.released).toBe(jobs.filter(({ end }) => end === 'released').length);
    const energies = jobs.map(({ uuid }) => journal.energy.of(uuid));
    expect(energies.filter((energy) => energy?.powerMicroDollars === undefined)).toEqual([]);
    journal.close();
  });
});
