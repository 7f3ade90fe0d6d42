import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { earnings } from '../../../src/cli/earnings/command.ts';
import type { JobState, NewJob } from '../../../src/domain/job.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { runLine } from '../../support/cli/run.ts';
import { aNewJob } from '../../support/domain.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

const report = { status: 3, buildLogs: '', stdout: '', stderr: '', result: '' } as const;
const claimed: JobState = { name: 'claimed' };
const finished: JobState = { name: 'finished', report, durationMs: 90_000 };

let dir: string;

beforeEach(() => {
  vi.stubEnv('TZ', 'Europe/Berlin');
  dir = scratchDir();
});

afterEach(() => vi.unstubAllEnvs());

const shown = (...more: readonly string[]) =>
  runLine(['earnings', '--state-dir', dir, ...more], {}, [earnings]);

/** Fills the journal at noon of a day. */
function at<T>(day: string, fill: (journal: SqliteJournal) => T): T {
  const now = new Date(`${day}T12:00:00`).getTime();
  return withJournal(dir, fill, undefined, { now: () => now, monotonic: () => now });
}

function paid(journal: SqliteJournal, earned: number, job: Partial<NewJob>): void {
  const { uuid } = journal.insert(aNewJob(job));
  for (const state of [
    claimed,
    finished,
    { name: 'reported', status: 3, durationMs: 90_000, earned },
  ] as const)
    journal.transition(uuid, state);
}

function fill(): void {
  at('2026-11-25', (journal) => paid(journal, 0.25, { uuid: 'a' }));
  at('2026-11-26', (journal) => {
    paid(journal, 0.000_000_5, { uuid: 'b', gpu: null, functionName: '=HYPERLINK("x","y")' });
    paid(journal, 1.5, { uuid: 'c', functionName: 'naïve, "fast"\u001b[2J' });
    journal.insert(aNewJob({ uuid: 'd' }));
    for (const state of [claimed, finished]) journal.transition('d', state);
  });
}

const RANGE = ['--from', '2026-11-25', '--until', '2026-11-26'];

describe('earnings', () => {
  test('by GPU names the model of its latest job', async () => {
    const gpu = 'GPU-0b5f3c1e-0000-4000-8000-000000000001';
    at('2026-11-25', (journal) => {
      paid(journal, 0.25, { uuid: 'old', gpu, offerKey: 'gpu:NVIDIA old name' });
      paid(journal, 0.25, { uuid: 'new', gpu, offerKey: 'gpu:NVIDIA T4 MIG 1g.5gb' });
    });
    const json: unknown = JSON.parse((await shown(...RANGE, '--by', 'gpu', '--json')).stdout);
    expect(json).toMatchObject({ rows: [{ key: gpu, name: `NVIDIA T4 MIG 1g.5gb (${gpu})` }] });
    expect((await shown(...RANGE, '--by', 'gpu')).stdout).toContain('NVIDIA T4 MIG 1g.5gb (GPU-0b5f3c1e)');
  });

  test('has the exact sums as JSON, with pending money apart', async () => {
    fill();
    const { exit, stdout, stderr } = await shown(...RANGE, '--json');
    expect([exit, stderr]).toEqual([0, '']);
    expect(JSON.parse(stdout)).toMatchObject({
      timeZone: 'Europe/Berlin',
      from: '2026-11-25',
      until: '2026-11-26',
      by: 'day',
      rows: [
        { key: '2026-11-25', confirmedMicroDollars: 250_000, pendingMicroDollars: 0, jobs: 1 },
        { key: '2026-11-26', confirmedMicroDollars: 1_500_001, pendingMicroDollars: 150_000, jobs: 2 },
      ],
      total: {
        jobs: 3,
        confirmedMicroDollars: 1_750_001,
        pendingJobs: 1,
        pendingMicroDollars: 150_000,
        energyJoules: null,
        powerCostMicroDollars: null,
        netMicroDollars: null,
        unpricedJobs: 3,
      },
    });
  });

  test('is one day long where one is asked for', async () => {
    fill();
    const { stdout } = await shown('--until', '2026-11-25', '--days', '1', '--json');
    expect(JSON.parse(stdout)).toMatchObject({
      from: '2026-11-25',
      total: { confirmedMicroDollars: 250_000 },
    });
  });

  test('as CSV keeps names from becoming formulas, commas from becoming columns', async () => {
    fill();
    const { stdout } = await shown(...RANGE, '--by', 'function', '--csv');
    const [header, ...rows] = stdout.split('\r\n');
    expect(header).toMatch(/^kind,function,jobs,confirmed_usd,pending_jobs,pending_usd,/);
    expect(rows).toEqual([
      expect.stringMatching(/^jobs,"naïve, ""fast""\uFFFD\[2J",1,1.5,0,0,/),
      expect.stringMatching(/^jobs,hello,1,0.25,1,0.15,/),
      expect.stringMatching(/^jobs,"'=HYPERLINK\(""x"",""y""\)",1,0.000001,0,0,/),
      '',
    ]);
  });

  test('is a table without control characters', async () => {
    fill();
    const { stdout } = await shown(...RANGE, '--by', 'function');
    expect(stdout).toMatch(/^FUNCTION +EARNED +PENDING +ENERGY +POWER +NET +JOBS\n/);
    expect(stdout).toMatch(/^hello +\$0.2500 +\$0.1500 +1$/m);
    expect(stdout).toMatch(/^total +\$1.7500 +\$0.1500 +3$/m);
    expect(stdout).not.toContain('\u001b');
    expect(stdout.split('\n').every(({ length }) => length <= 100)).toBe(true);
  });

  test.each([
    [['--from', '2026-02-30']],
    [['--from', '2026-11-27', '--until', '2026-11-26']],
    [['--from', '2026-11-25', '--days', '3']],
    [['--by', 'buyer']],
    [['--days', '0']],
    [['--csv', '--json']],
  ])('%j is refused', async (flags) => {
    fill();
    const { exit, stdout } = await shown(...flags);
    expect([exit, stdout]).toEqual([2, '']);
  });

  test('needs a journal', async () => {
    expect(await shown()).toMatchObject({ exit: 7, stdout: '' });
  });
});
