import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { EarningsReport } from '../../../src/domain/earnings.ts';
import type { JobState, NewJob } from '../../../src/domain/job.ts';
import type { EarningsQuery } from '../../../src/journal/earnings.ts';
import type { DayEarnings } from '../../../src/journal/ledger.ts';
import { JOURNAL_FILE, readJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { inSlices } from '../../../src/lib/slices.ts';
import { LIMITS } from '../../../src/limits.ts';
import { aNewJob } from '../../support/domain.ts';
import { prune } from '../../support/journal/prune.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

afterEach(() => vi.unstubAllEnvs());

const claimed: JobState = { name: 'claimed' };
const finished = (status: 3 | 4 | 5): JobState => ({
  name: 'finished',
  report: { status, buildLogs: '', stdout: '', stderr: '', result: '' },
  durationMs: 60_000,
});
const reported = (status: 3 | 4 | 5, earned: number): JobState => ({
  name: 'reported',
  status,
  durationMs: 60_000,
  earned,
});

function walk(journal: SqliteJournal, job: Partial<NewJob>, ...states: readonly JobState[]): void {
  const { uuid } = journal.insert(aNewJob(job));
  for (const state of states) journal.transition(uuid, state);
}

function paid(journal: SqliteJournal, job: Partial<NewJob>, earned: number, status: 3 | 5 = 3): void {
  walk(journal, job, claimed, finished(status), reported(status, earned));
}

function days(journal: SqliteJournal, after = '2000-01-01', last = '2100-01-01'): readonly DayEarnings[] {
  const steps = journal.ledger.byGpu(after, last);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** What a command reads, which opens no journal for writing. */
async function reportOf(path: string, query: EarningsQuery): Promise<EarningsReport | undefined> {
  const journal = readJournal(path);
  try {
    return journal && (await inSlices(journal.ledger.report(query)));
  } finally {
    journal?.close();
  }
}

/** Runs `use` on a journal in which it is that time. */
function at<T>(path: string, time: { now: number }, use: (journal: SqliteJournal) => T): T {
  return withJournal(path, use, undefined, { now: () => time.now, monotonic: () => time.now });
}

describe('the ledger', () => {
  test('has what was paid by the day of this host, GPU by GPU, and nothing of what was not', () => {
    vi.stubEnv('TZ', 'Europe/Berlin');
    const time = { now: new Date(2026, 9, 24, 23, 59).getTime() };
    at(scratchDir(), time, (journal) => {
      paid(journal, { uuid: 'a', gpu: 'GPU-1' }, 0.000_001_4);
      time.now += 60_000;
      paid(journal, { uuid: 'b', gpu: 'GPU-1', functionName: 'other' }, 0.25);
      paid(journal, { uuid: 'c', gpu: 'GPU-1' }, 0.5, 5);
      paid(journal, { uuid: 'd', gpu: null }, 0.125);
      walk(journal, { uuid: 'e' }, claimed, finished(4), reported(4, 0));
      walk(journal, { uuid: 'f' }, claimed, { name: 'releasing', why: '' }, { name: 'released', why: '' });
      walk(journal, { uuid: 'g' }, claimed, finished(3), { name: 'dropped', why: 'lost' });
      walk(journal, { uuid: 'h' }, claimed, finished(3));
      // The day when the clocks go back has 25 hours.
      time.now += 24.5 * 3_600_000;
      paid(journal, { uuid: 'i', gpu: 'GPU-2' }, 1);
      expect(days(journal)).toEqual([
        { day: '2026-10-24', gpu: 'GPU-1', jobs: 1, microDollars: 1 },
        { day: '2026-10-25', gpu: 'GPU-1', jobs: 2, microDollars: 750_000 },
        { day: '2026-10-25', gpu: 'GPU-2', jobs: 1, microDollars: 1_000_000 },
        { day: '2026-10-25', gpu: 'cpu', jobs: 1, microDollars: 125_000 },
      ]);
      expect(days(journal, '2026-10-24', '2026-10-24')).toEqual([]);
    });
  });

  test('outlives the jobs, which count once however often the journal is opened', () => {
    const path = scratchDir();
    const time = { now: Date.UTC(2026, 10, 27, 12) };
    at(path, time, (journal) => {
      paid(journal, { uuid: 'a' }, 0.25);
      paid(journal, { uuid: 'b' }, 0.5);
    });
    const sums = [{ gpu: 'GPU-1', jobs: 2, microDollars: 750_000 }];
    expect(at(path, time, (journal) => days(journal))).toMatchObject(sums);
    time.now += 1;
    at(path, time, (journal) => prune(journal, time.now));
    expect(at(path, time, (journal) => [journal.get('a'), days(journal)])).toMatchObject([undefined, sums]);
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    expect(db.prepare('SELECT count(*) AS count FROM ledger_jobs').get()).toEqual({ count: 0 });
    db.close();
  });

  test('takes in what an older agent has reported, before it or in between', () => {
    vi.stubEnv('TZ', 'Pacific/Auckland');
    const path = scratchDir();
    const time = { now: new Date(2026, 10, 27, 0, 5).getTime() };
    at(path, time, (journal) => {
      paid(journal, { uuid: 'a' }, 0.25);
      paid(journal, { uuid: 'b', gpu: null }, 0.000_000_6);
      walk(journal, { uuid: 'c' }, claimed, finished(4), reported(4, 0));
    });
    const before = at(path, time, (journal) => days(journal));
    expect(before.map(({ day }) => day)).toEqual(['2026-11-27', '2026-11-27']);
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    db.exec('DROP TABLE ledger_days; DROP TABLE ledger_jobs');
    db.close();
    expect(at(path, time, (journal) => days(journal))).toEqual(before);
    const older = new DatabaseSync(join(path, JOURNAL_FILE));
    older.exec(`UPDATE jobs SET uuid = 'd' WHERE uuid = 'a'`);
    older.close();
    expect(at(path, time, (journal) => days(journal))).toMatchObject([
      { gpu: 'GPU-1', jobs: 2, microDollars: 500_000 },
      { gpu: 'cpu', jobs: 1, microDollars: 1 },
    ]);
  });

  test('has what each broker has paid, for ever', () => {
    const path = scratchDir();
    const [first, second] = ['https://first.example/', 'https://second.example/'];
    const now = Date.UTC(2026, 10, 27, 12);
    const work = <T>(broker: string, ms: number, use: (journal: SqliteJournal) => T): T =>
      withJournal(path, use, broker, { now: () => now + ms, monotonic: () => 0 });
    const totals = (journal: SqliteJournal) =>
      [first, second, undefined].map((broker) => journal.bookedJobs.total(broker));
    work(first, 0, (journal) => {
      paid(journal, { uuid: 'a' }, 0.25);
      paid(journal, { uuid: 'b' }, 0.5);
    });
    work(second, 1, (journal) => paid(journal, { uuid: 'c' }, 0.125));
    const expected = [750_000, 125_000, 875_000];
    expect(work(second, 1, totals)).toEqual(expected);
    work(second, 2, (journal) => prune(journal, now + 2));
    expect(work(first, 2, totals)).toEqual(expected);
  });

  test('counts for any broker what an older agent has entered of jobs that are gone', () => {
    const path = scratchDir();
    const [first, second] = ['https://first.example/', 'https://second.example/'];
    const time = { now: Date.UTC(2026, 10, 27, 12), monotonic: () => 0 };
    const clock = { now: () => time.now, monotonic: () => 0 };
    withJournal(path, (journal) => paid(journal, { uuid: 'gone' }, 1), first, clock);
    time.now += 1;
    withJournal(path, (journal) => prune(journal, time.now), first, clock);
    withJournal(path, (journal) => paid(journal, { uuid: 'a' }, 0.25), first, clock);
    withJournal(path, (journal) => paid(journal, { uuid: 'b' }, 0.5), second, clock);
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    db.exec('DROP TABLE ledger_brokers');
    db.close();
    const totals = (journal: SqliteJournal) =>
      [first, second, undefined].map((broker) => journal.bookedJobs.total(broker));
    for (let times = 0; times < 2; times += 1)
      expect(withJournal(path, totals, second, clock)).toEqual([1_250_000, 1_500_000, 1_750_000]);
  });

  test.each([
    [0.000_000_5, 1],
    [0.000_001_5, 2],
    [0.000_000_499_999_999, 0],
    [1e-7, 0],
    [-0, 0],
    [0.1 + 0.2, 300_000],
    [1.000_000_5, 1_000_001],
    [999_999.999_999_9, 1_000_000_000_000],
  ])('rounds %d to %d whether it enters a job or takes in a journal', (earned, microDollars) => {
    const path = scratchDir();
    withJournal(path, (journal) => paid(journal, { uuid: 'a' }, earned));
    const entered = withJournal(path, (journal) => days(journal));
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    db.exec('DROP TABLE ledger_days; DROP TABLE ledger_jobs');
    db.close();
    expect(entered).toMatchObject([{ microDollars }]);
    expect(withJournal(path, (journal) => days(journal))).toEqual(entered);
  });

  test('reports energy and power cost of all that ended, and outlives the jobs', async () => {
    vi.stubEnv('TZ', 'Europe/Berlin');
    const path = scratchDir();
    const time = { now: new Date(2026, 10, 27, 12).getTime() };
    const since = { boot: '', upMs: 0 };
    const ran = [
      claimed,
      { name: 'starting', container: 'c', since },
      { name: 'running', container: 'c', startedAt: 0, since },
    ] as const;
    const full = { coveredMs: 60_000, ms: 60_000, isEstimate: false, isCostEstimate: false } as const;
    const priced = { ...full, joules: 6_000.4, idleJoules: 600, powerMicroDollars: 500 };
    const unpriced = { ...full, joules: 0, idleJoules: 0, coveredMs: 0, powerMicroDollars: undefined };
    at(path, time, (journal) => {
      journal.energy.meterBy({ ended: ({ gpu }) => (gpu === null ? unpriced : priced) });
      walk(journal, { uuid: 'a' }, ...ran, finished(3), reported(3, 0.25));
      walk(journal, { uuid: 'b' }, ...ran, finished(4), reported(4, 0));
      walk(journal, { uuid: 'c' }, ...ran, { name: 'releasing', why: '' }, { name: 'released', why: '' });
      walk(journal, { uuid: 'd', gpu: null }, ...ran, finished(3), reported(3, 0.5));
      walk(journal, { uuid: 'e' }, ...ran, finished(3));
      const idle = { gpu: 'GPU-1', at: time.now, joules: 90.6, ms: 29_999.6, powerMicroDollars: undefined };
      journal.energy.save({ at: time.now, jobs: new Map(), idle: [idle], power: [] });
    });
    const report = () => reportOf(path, { from: '2026-11-27', until: '2026-11-27', by: 'gpu' });
    const pending = { pendingJobs: 1, pendingMicroDollars: 100_000 };
    const gpu = {
      key: 'GPU-1',
      jobs: 1,
      confirmedMicroDollars: 250_000,
      ...pending,
      endedJobs: 4,
      energyJoules: 24_002,
      powerCostMicroDollars: 2_000,
      netMicroDollars: 248_000,
      unpricedJobs: 0,
    };
    const cpu = { key: 'cpu', energyJoules: null, powerCostMicroDollars: null, unpricedJobs: 1 };
    const sums = {
      rows: [{ ...cpu, confirmedMicroDollars: 500_000, netMicroDollars: 500_000 }, gpu],
      total: {
        jobs: 2,
        confirmedMicroDollars: 750_000,
        powerCostMicroDollars: 2_000,
        netMicroDollars: 748_000,
        ...pending,
        endedJobs: 5,
        energyJoules: 24_002,
        unpricedJobs: 1,
        unmeasuredJobs: 1,
      },
      idle: { ms: 30_000, energyJoules: 91, powerCostMicroDollars: null },
    };
    expect(await report()).toMatchObject(sums);
    time.now += 1;
    at(path, time, (journal) => prune(journal, time.now));
    expect(at(path, time, (journal) => journal.history(10))).toHaveLength(1);
    expect(await report()).toMatchObject(sums);
  });

  test('knows no energy of jobs from before it was measured, and all of those paid on the day after', async () => {
    vi.stubEnv('TZ', 'Europe/Berlin');
    const path = scratchDir();
    const time = { now: new Date(2026, 10, 25, 12).getTime() };
    const energy = {
      joules: 9,
      idleJoules: 0,
      coveredMs: 9,
      ms: 9,
      isEstimate: false,
      isCostEstimate: false,
    };
    at(path, time, (journal) => {
      paid(journal, { uuid: 'old' }, 0.25);
      journal.energy.meterBy({ ended: () => ({ ...energy, powerMicroDollars: 5 }) });
      const since = { boot: '', upMs: 0 };
      time.now += 86_400_000;
      for (const uuid of ['a', 'b'])
        walk(journal, { uuid }, claimed, { name: 'starting', container: 'c', since }, finished(3));
      journal.transition('a', reported(3, 0.5));
      time.now += 86_400_000;
      journal.transition('b', reported(3, 0.5));
    });
    expect(await reportOf(path, { from: '2026-11-25', until: '2026-11-27', by: 'day' })).toMatchObject({
      rows: [
        {
          jobs: 1,
          energyJoules: null,
          unpricedJobs: 1,
          powerCostMicroDollars: null,
          netMicroDollars: 250_000,
        },
        { jobs: 1, endedJobs: 2, unpricedJobs: 0, powerCostMicroDollars: 10 },
        { jobs: 1, endedJobs: 0, unpricedJobs: 0, powerCostMicroDollars: 0, netMicroDollars: 500_000 },
      ],
    });
  });

  test('of a journal that an older agent has written is read without changing it', async () => {
    const path = scratchDir();
    const time = { now: new Date(2026, 10, 27, 12).getTime() };
    at(path, time, (journal) => {
      paid(journal, { uuid: 'a' }, 0.25);
      paid(journal, { uuid: 'b', gpu: null }, 0.5);
    });
    const query = { from: '2026-11-27', until: '2026-11-27', by: 'gpu' } as const;
    const read = () => reportOf(path, query);
    const before = await read();
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    db.exec('DROP TABLE ledger_days; DROP TABLE ledger_jobs');
    db.close();
    expect(before).toMatchObject({ total: { jobs: 2, confirmedMicroDollars: 750_000 } });
    expect(await read()).toEqual(before);
  });

  test('of the first release is read as it is, and the same once it is taken in', async () => {
    const path = scratchDir();
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    db.exec(readFileSync(new URL('../../support/journal/release-0.1.0.sql', import.meta.url), 'utf8'));
    db.close();
    const read = () => reportOf(path, { from: '1969-01-01', until: '2100-01-01', by: 'day' });
    const { rows, total } = (await read()) ?? {};
    const pending = { pendingJobs: 1, pendingMicroDollars: 6_250 };
    expect(total).toMatchObject({
      jobs: 1,
      confirmedMicroDollars: 10_000,
      ...pending,
      netMicroDollars: null,
    });
    withJournal(path, () => undefined);
    expect(await read()).toMatchObject({ rows });
  });

  test('keeps a bounded number of names a day', () => {
    const path = scratchDir();
    const { max } = LIMITS.journal.ledgerDay;
    withJournal(path, (journal) => {
      for (let n = 0; n < max + 20; n += 1) paid(journal, { uuid: `${n}`, functionName: `f${n}` }, 0.001);
      paid(journal, { uuid: 'known', functionName: 'f0' }, 0.001);
      expect(days(journal)).toMatchObject([{ jobs: max + 21, microDollars: (max + 21) * 1_000 }]);
    });
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    expect(db.prepare('SELECT count(*) AS count FROM ledger_days').get()).toEqual({ count: max + 1 });
    expect(db.prepare("SELECT jobs FROM ledger_days WHERE function = 'f0'").get()).toEqual({ jobs: 2 });
    db.close();
  });
});
