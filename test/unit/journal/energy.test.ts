import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import type { JobState, NewJob } from '../../../src/domain/job.ts';
import { jobEnergyOf, type PricedEnergy } from '../../../src/domain/job-energy.ts';
import type { IdleUse, JobMeter } from '../../../src/domain/ports/energy-store.ts';
import { JOURNAL_FILE } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { LIMITS } from '../../../src/limits.ts';
import { aNewJob } from '../../support/domain.ts';
import { prune } from '../../support/journal/prune.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

afterEach(() => vi.unstubAllEnvs());

const claimed: JobState = { name: 'claimed' };
const since = { boot: '', upMs: 0 };
const starting: JobState = { name: 'starting', container: 'c', since };
const running: JobState = { name: 'running', container: 'c', startedAt: 0, since };
const report = { status: 3, buildLogs: '', stdout: '', stderr: '', result: '' } as const;
const finished: JobState = { name: 'finished', report, durationMs: 60_000 };
const releasing: JobState = { name: 'releasing', why: '' };
const cancelling: JobState = { name: 'cancelling', why: '' };
const dropped: JobState = { name: 'dropped', why: '' };

const energy = jobEnergyOf({ joules: 6_000, idleJoules: 600, coveredMs: 60_000 }, 60_000, true);
const priced: PricedEnergy = { ...energy, powerMicroDollars: 500, isCostEstimate: false };
const everyJob: JobMeter = { ended: () => priced };
const NOW = Date.UTC(2026, 10, 27, 12);

function walk(journal: SqliteJournal, job: Partial<NewJob>, ...states: readonly JobState[]): void {
  const { uuid } = journal.insert(aNewJob(job));
  for (const state of states) journal.transition(uuid, state);
}

function days(journal: SqliteJournal) {
  const steps = journal.energy.days.between('2000-01-01', '2100-01-01');
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

function at<T>(path: string, time: { now: number }, use: (journal: SqliteJournal) => T): T {
  return withJournal(path, use, undefined, { now: () => time.now, monotonic: () => time.now });
}

describe('the energy of jobs', () => {
  test.each<[string, readonly JobState[], number]>([
    ['was reported', [claimed, starting, running, finished], 1],
    ['was released while it ran', [claimed, starting, running, releasing], 1],
    ['was released at its start', [claimed, starting, releasing], 1],
    ['the broker took back', [claimed, starting, running, cancelling, dropped], 1],
    ['still runs', [claimed, starting, running], 0],
    ['was never started', [claimed, releasing], 0],
    ['could not be created', [claimed, finished], 0],
    ['is no longer ours when it is reported', [claimed, starting, running, finished, dropped], 1],
  ])('is entered once of one that %s', (_, states, jobs) => {
    at(scratchDir(), { now: NOW }, (journal) => {
      journal.energy.meterBy(everyJob);
      walk(journal, { uuid: 'a', gpu: 'GPU-1' }, ...states);
      expect(journal.energy.of('a')).toEqual(jobs === 1 ? priced : undefined);
      expect(days(journal).jobs).toMatchObject(
        jobs === 1 ? [{ gpu: 'GPU-1', jobs: 1, joules: 6_000, idleJoules: 600, powerMicroDollars: 500 }] : [],
      );
    });
  });

  test('is of the day on which they stopped, by GPU, function and image', () => {
    vi.stubEnv('TZ', 'Europe/Berlin');
    const time = { now: new Date(2026, 9, 24, 23, 59).getTime() };
    at(scratchDir(), time, (journal) => {
      journal.energy.meterBy(everyJob);
      const all = [claimed, starting, running, finished];
      walk(journal, { uuid: 'a', gpu: 'GPU-1' }, ...all);
      time.now += 60_000;
      walk(journal, { uuid: 'b', gpu: 'GPU-1', functionName: 'other' }, ...all);
      walk(journal, { uuid: 'c', gpu: 'GPU-1', functionName: 'other' }, ...all);
      journal.energy.meterBy({ ended: () => ({ ...priced, powerMicroDollars: undefined }) });
      walk(journal, { uuid: 'd', gpu: null }, ...all);
      expect(days(journal).jobs).toMatchObject([
        { day: '2026-10-24', gpu: 'GPU-1', jobs: 1, unpricedJobs: 0 },
        { day: '2026-10-25', gpu: 'GPU-1', function: 'other', jobs: 2, joules: 12_000, ms: 120_000 },
        { day: '2026-10-25', gpu: 'cpu', jobs: 1, unpricedJobs: 1, powerMicroDollars: 0 },
      ]);
    });
  });

  test('is unknown of jobs that ran before it was measured', () => {
    const path = scratchDir();
    at(path, { now: NOW }, (journal) => walk(journal, { uuid: 'a' }, claimed, starting, running, finished));
    const db = new DatabaseSync(join(path, JOURNAL_FILE));
    db.exec('DROP TABLE job_energy; DROP TABLE energy_days; DROP TABLE idle_days; DROP TABLE gpu_power');
    db.close();
    at(path, { now: NOW }, (journal) => {
      expect(journal.energy.of('a')).toBeUndefined();
      expect(days(journal)).toEqual({ jobs: [], idle: [] });
    });
  });

  test('counts as unmeasured where nothing has measured a job that ran', () => {
    at(scratchDir(), { now: NOW }, (journal) => {
      walk(journal, { uuid: 'a' }, claimed, starting, { ...running, startedAt: NOW - 5_000 }, releasing);
      expect(journal.energy.of('a')).toMatchObject({ coveredMs: 0, ms: 5_000, isEstimate: true });
      expect(days(journal).jobs).toMatchObject([{ jobs: 1, unmeasuredJobs: 1, unpricedJobs: 1 }]);
    });
  });

  test('survives a crash but for what was not written, and is taken up again', () => {
    const path = scratchDir();
    const some = jobEnergyOf({ joules: 100, idleJoules: 10, coveredMs: 900 }, 1_000, true);
    at(path, { now: NOW }, (journal) => {
      for (const uuid of ['a', 'b']) walk(journal, { uuid }, claimed, starting, running);
      journal.energy.save({ at: NOW, jobs: new Map([['a', some]]), idle: [], power: [] });
    });
    at(path, { now: NOW }, (journal) => {
      expect([...journal.energy.open()]).toMatchObject([['a', some]]);
      expect(journal.energy.of('a')).toMatchObject(some);
      // No meter knows of it any more: what was written is what counts.
      journal.transition('a', finished);
      expect(journal.energy.of('a')).toMatchObject(some);
      expect([...journal.energy.open()]).toEqual([]);
      expect(days(journal).jobs).toMatchObject([{ jobs: 1, joules: 100, coveredMs: 900 }]);
      // A write that comes late changes nothing.
      journal.energy.save({ at: NOW, jobs: new Map([['a', energy]]), idle: [], power: [] });
      expect(journal.energy.of('a')).toMatchObject(some);
    });
  });

  test('starts again with another claim', () => {
    at(scratchDir(), { now: NOW }, (journal) => {
      journal.energy.meterBy(everyJob);
      const released: JobState = { name: 'released', why: '' };
      walk(journal, { uuid: 'a' }, claimed, starting, running, releasing, released);
      journal.insert(aNewJob({ uuid: 'a' }));
      expect(journal.energy.of('a')).toBeUndefined();
      expect(days(journal).jobs).toMatchObject([{ jobs: 1 }]);
      for (const state of [claimed, starting, running, finished]) journal.transition('a', state);
      expect(days(journal).jobs).toMatchObject([{ jobs: 2 }]);
    });
  });

  test('is written together with the end of the job, or neither is', () => {
    at(scratchDir(), { now: NOW }, (journal) => {
      walk(journal, { uuid: 'a' }, claimed, starting, running);
      journal.energy.meterBy({
        ended: () => {
          throw new AgentError('JOURNAL_UNUSABLE', 'no energy');
        },
      });
      expect(() => journal.transition('a', finished)).toThrow(
        expect.objectContaining({ code: 'JOURNAL_UNUSABLE' }),
      );
      expect(journal.get('a')?.state.name).toBe('running');
      journal.energy.meterBy(everyJob);
      journal.transition('a', finished);
      expect(days(journal).jobs).toMatchObject([{ jobs: 1 }]);
    });
  });

  test('goes with its job, and the days stay', () => {
    const path = scratchDir();
    const time = { now: NOW };
    at(path, time, (journal) => {
      journal.energy.meterBy(everyJob);
      walk(journal, { uuid: 'a' }, claimed, starting, running, finished, dropped);
      time.now += 1;
      prune(journal, time.now);
      expect(journal.energy.of('a')).toBeUndefined();
      expect(days(journal).jobs).toMatchObject([{ jobs: 1 }]);
    });
  });

  test('has a bounded number of names a day', () => {
    const { max } = LIMITS.journal.ledgerDay;
    at(scratchDir(), { now: NOW }, (journal) => {
      journal.energy.meterBy(everyJob);
      for (let n = 0; n < max + 20; n += 1)
        walk(journal, { uuid: `${n}`, functionName: `f${n}` }, claimed, starting, running, finished);
      const { jobs } = days(journal);
      expect(jobs).toHaveLength(max + 1);
      expect(jobs.reduce((sum, row) => sum + row.jobs, 0)).toBe(max + 20);
    });
  });
});

test('GPUs without a job have days of their own', () => {
  vi.stubEnv('TZ', 'UTC');
  at(scratchDir(), { now: NOW }, (journal) => {
    const use: IdleUse = { gpu: 'GPU-1', at: NOW, joules: 1_200, ms: 60_000, powerMicroDollars: 100 };
    const save = (...idle: readonly IdleUse[]): void =>
      journal.energy.save({ at: NOW, jobs: new Map(), idle, power: [] });
    save(use, { ...use, gpu: 'GPU-2' });
    save({ ...use, powerMicroDollars: undefined }, { ...use, at: NOW + 86_400_000 });
    const day = { day: '2026-11-27', gpu: 'GPU-1', joules: 1_200, ms: 60_000 };
    expect(days(journal).idle).toEqual([
      { ...day, joules: 2_400, ms: 120_000, powerMicroDollars: 100, unpricedMs: 60_000 },
      { ...day, gpu: 'GPU-2', powerMicroDollars: 100, unpricedMs: 0 },
      { ...day, day: '2026-11-28', powerMicroDollars: 100, unpricedMs: 0 },
    ]);
  });
});

test('the sums of each GPU never fall', () => {
  const path = scratchDir();
  at(path, { now: NOW }, (journal) => {
    journal.energy.meterBy(everyJob);
    walk(journal, { uuid: 'a', gpu: 'GPU-1' }, claimed, starting, running, finished);
    journal.energy.meterBy({ ended: () => ({ ...priced, powerMicroDollars: -700 }) });
    walk(journal, { uuid: 'b', gpu: 'GPU-1' }, claimed, starting, running, finished);
    const use: IdleUse = { gpu: 'GPU-1', at: NOW, joules: 1_200, ms: 60_000, powerMicroDollars: 100 };
    journal.energy.save({ at: NOW, jobs: new Map(), idle: [use], power: [] });
  });
  const totals = [
    { gpu: 'GPU-1', use: 'idle', joules: 1_200, microDollars: 100 },
    { gpu: 'GPU-1', use: 'job', joules: 12_000, microDollars: 500 },
  ];
  expect(at(path, { now: NOW }, (journal) => journal.energy.days.totals())).toEqual(totals);
  const db = new DatabaseSync(join(path, JOURNAL_FILE));
  db.exec('DROP TABLE energy_totals');
  db.close();
  // Of a journal without them: what the days have.
  expect(at(path, { now: NOW }, (journal) => journal.energy.days.totals())).toMatchObject([
    { use: 'idle', joules: 1_200 },
    { use: 'job', joules: 12_000 },
  ]);
});

test('the power of GPUs survives a restart', () => {
  const path = scratchDir();
  const power = { gpu: 'GPU-1', idleW: [20, 21], busyW: [310.5] };
  at(path, { now: NOW }, (journal) =>
    journal.energy.save({ at: NOW, jobs: new Map(), idle: [], power: [power] }),
  );
  expect(at(path, { now: NOW }, (journal) => [...journal.energy.power()])).toEqual([['GPU-1', power]]);
});
