import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { ImageDemands } from '../../../../src/agent/images/image-demand.ts';
import type { SkipReason, Verdict } from '../../../../src/domain/decide.ts';
import { imageValuePerDay } from '../../../../src/domain/image-value.ts';
import { JOB_STATUS, type JobRecord } from '../../../../src/domain/job.ts';
import type { ImageDay, ImageRecords } from '../../../../src/domain/ports/image-records.ts';
import type { SqliteJournal } from '../../../../src/journal/sqlite-journal.ts';
import { LIMITS } from '../../../../src/limits.ts';
import { withOther } from '../../../support/agent/with-other.ts';
import { ManualClock } from '../../../support/clock/manual-clock.ts';
import { aFunction, aNewJob, anOpenRun } from '../../../support/domain.ts';
import { openScratch } from '../../../support/journal/scratch.ts';
import { logged, logInto } from '../../../support/log/log-into.ts';

const DAY_MS = 86_400_000;

function take(run: string, image = 'app:1'): Verdict {
  return {
    kind: 'take',
    open: anOpenRun({ uuid: run }, { function: aFunction({ registryPath: image }) }),
    jobs: 1,
  };
}

function skip(run: string, reason: SkipReason): Verdict {
  return { kind: 'skip', open: take(run).open, reason };
}

function setUp(more: { readonly records?: (journal: SqliteJournal) => ImageRecords } = {}) {
  const clock = new ManualClock();
  const journal = openScratch(clock);
  const lines: string[] = [];
  const records = more.records?.(journal) ?? journal.images;
  const another = (): ImageDemands =>
    new ImageDemands({ records, clock, log: logInto(lines), asks: () => [0.1, 0.3] });
  const stopped = AbortSignal.abort();
  return { another, clock, demand: another(), journal, lines, stopped };
}

/** A job of an image that ended at the broker, paid with so many dollars; undefined: it was released. */
function ended(journal: SqliteJournal, uuid: string, image: string, earned?: number): JobRecord {
  journal.insert(aNewJob({ uuid }), 'f', image);
  journal.transition(uuid, { name: 'claimed' });
  if (earned === undefined) return journal.transition(uuid, { name: 'releasing', why: 'x' });
  const status = JOB_STATUS.SUCCEEDED;
  const report = { status, buildLogs: '', stdout: '', stderr: '', result: '' };
  journal.transition(uuid, { name: 'finished', report, durationMs: 1 });
  return journal.transition(uuid, { name: 'reported', status, durationMs: 1, earned });
}

describe('the demand for an image', () => {
  test('counts each run once a day, by whatever name it asks for the image', () => {
    const { clock, demand } = setUp();
    for (const image of ['app:1', 'docker.io/library/app:1', 'index.docker.io/app:1'])
      for (const run of ['a', 'b']) demand.decided(take(run, image));
    demand.decided(take('c', 'app'));
    expect(demand.demandOf('app:1').wantedByDay).toEqual([2]);
    expect(demand.demandOf('app:latest').wantedByDay).toEqual([1]);
    clock.advance(DAY_MS);
    demand.decided(take('a'));
    expect(demand.demandOf('app:1').wantedByDay).toEqual([1, 2]);
  });

  test('is by day, today first, back to the first day of which anything is known', async () => {
    const { clock, demand, stopped } = setUp();
    demand.decided(take('a', 'other:1'));
    await demand.work(stopped);
    clock.advance(2 * DAY_MS);
    demand.decided(take('a'));
    demand.decided(take('b'));
    await demand.work(stopped);
    demand.decided(take('c'));
    expect(demand.demandOf('app:1').wantedByDay).toEqual([3, 0, 0]);
    expect(demand.demandOf('other:1').wantedByDay).toEqual([0, 0, 1]);
    clock.advance(DAY_MS);
    demand.decided(take('a'));
    expect(demand.demandOf('app:1').wantedByDay).toEqual([1, 3, 0, 0]);
  });

  test.each<[SkipReason, boolean]>([
    ['image-not-pulled', true],
    ['image-failed', true],
    ['no-slot', true],
    ['gpu-memory-short', true],
    ['image-not-allowed', false],
    ['image-wrong-platform', false],
    ['bid-below-ask', false],
    ['in-backoff', false],
    ['below-floor', false],
  ])('counts a run that is skipped for %s: %s', (reason, counts) => {
    const { demand } = setUp();
    demand.decided(skip('a', reason));
    expect(demand.demandOf('app:1').wantedByDay).toEqual([counts ? 1 : 0]);
  });

  test('does not count a run whose function is not known, or whose image has no name', async () => {
    const { demand, journal, stopped } = setUp();
    demand.decided({ kind: 'take', open: anOpenRun({}, { function: undefined }), jobs: 1 });
    demand.decided(take('a', 'No Image'));
    await demand.work(stopped);
    expect(journal.images.days(0)).toEqual([]);
  });

  test('has tries, wins and what was paid, of this start and of earlier ones', async () => {
    const { another, demand, journal, stopped } = setUp();
    demand.tried('app:1', true);
    demand.tried('docker.io/app:1', false);
    demand.ended(ended(journal, 'a', 'app:1', 0.000_002_6));
    await demand.work(stopped);
    const next = another();
    next.tried('app:1', true);
    next.ended(ended(journal, 'b', 'app:1', 0.5));
    next.ended(ended(journal, 'c', 'app:1'));
    next.ended(ended(journal, 'd', 'other:1', 9));
    expect(next.demandOf('app:1')).toMatchObject({ tries: 3, wins: 2, earnedMicroDollars: 500_003 });
    expect(next.demandOf('unknown:1')).toMatchObject({ tries: 0, wins: 0, earnedMicroDollars: 0 });
  });

  test('expects of a first win what all wins earned on average, and before those a minute at the asks', async () => {
    const { another, demand, journal, stopped } = setUp();
    expect(demand.demandOf('app:1').expectedMicroDollars).toBe(200_000);
    demand.tried('a:1', true);
    demand.tried('b:1', true);
    demand.ended(ended(journal, 'a', 'a:1', 0.3));
    expect(demand.demandOf('app:1').expectedMicroDollars).toBe(150_000);
    await demand.work(stopped);
    expect(another().demandOf('app:1').expectedMicroDollars).toBe(150_000);
  });

  test('makes the value of an image', async () => {
    const { demand, journal, stopped } = setUp();
    for (const run of ['a', 'b', 'c']) demand.decided(take(run));
    demand.tried('app:1', true);
    demand.ended(ended(journal, 'a', 'app:1', 0.3));
    await demand.work(stopped);
    const value = imageValuePerDay({
      wantedByDay: [3],
      tries: 1,
      wins: 1,
      earnedMicroDollars: 300_000,
      expectedMicroDollars: 300_000,
    });
    expect(demand.valuePerDay('app:1')).toBe(value);
    expect(demand.valuePerDay('other:1')).toBe(0);
  });

  test('knows when a job used an image last, also one that was released', async () => {
    const { clock, demand, journal, stopped } = setUp();
    expect(demand.usedAt('app:1')).toBeUndefined();
    demand.tried('app:1', true);
    expect(demand.usedAt('app:1')).toBe(clock.now());
    clock.advance(5_000);
    demand.ended(ended(journal, 'a', 'app:1'));
    const at = clock.now();
    await demand.work(stopped);
    clock.advance(DAY_MS);
    demand.decided(take('a'));
    demand.tried('app:1', false);
    expect(demand.usedAt('app:1')).toBe(at);
  });

  test('is not confused by days that are yet to come or long over, which a wrong clock has left', async () => {
    const { clock, demand, stopped } = setUp();
    clock.advance(3 * DAY_MS);
    demand.decided(take('a'));
    await demand.work(stopped);
    clock.advance(-3 * DAY_MS);
    expect(demand.demandOf('app:1').wantedByDay).toEqual([0]);
    demand.decided(take('b'));
    expect(demand.demandOf('app:1').wantedByDay).toEqual([1]);
    clock.advance(9_000 * DAY_MS);
    expect(demand.demandOf('app:1').wantedByDay).toEqual([0]);
  });
});

describe('counts are written', () => {
  test('soon after a pause, then at most once a minute, and at the end', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const { demand, journal } = setUp();
    const addDays = vi.spyOn(journal.images, 'addDays');
    const end = new AbortController();
    const working = demand.work(end.signal);
    demand.decided(take('a'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(addDays).toHaveBeenCalledTimes(1);
    demand.decided(take('b'));
    await vi.advanceTimersByTimeAsync(59_000);
    expect(addDays).toHaveBeenCalledTimes(1);
    demand.decided(take('c'));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(addDays).toHaveBeenCalledTimes(2);
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(addDays).toHaveBeenCalledTimes(2);
    demand.decided(take('d'));
    end.abort();
    await working;
    expect(journal.images.days(0)).toMatchObject([{ ref: 'app:1', wanted: 4 }]);
  });

  test('once the disk accepts them again, and the failure is logged once', async () => {
    let isFull = true;
    const { demand, journal, lines, stopped } = setUp({
      records: ({ images }) => {
        const addDays = (days: readonly ImageDay[]): void => {
          if (isFull) throw new Error('no space left');
          images.addDays(days);
        };
        return withOther<ImageRecords>(images, { addDays });
      },
    });
    for (const run of ['a', 'b']) {
      demand.decided(take(run));
      await demand.work(stopped);
    }
    expect(logged(lines, 'image-demand-not-saved')).toHaveLength(1);
    expect(demand.demandOf('app:1').wantedByDay).toEqual([2]);
    isFull = false;
    await demand.work(stopped);
    expect(journal.images.days(0)).toMatchObject([{ wanted: 2 }]);
    expect(demand.demandOf('app:1').wantedByDay).toEqual([2]);
  });
});

describe('of a broker with very many images', () => {
  test('those that say most are remembered, in memory and on disk', async () => {
    const { demand, journal, stopped } = setUp();
    const addDays = vi.spyOn(journal.images, 'addDays');
    demand.tried('won:1', true);
    for (let run = 0; run < 3; run += 1) demand.decided(take(`often-${run}`, 'often:1'));
    for (let image = 0; image < 100_000 - 4; image += 1) demand.decided(take(`${image}`, `image-${image}:1`));
    await demand.work(stopped);
    // Each write is one turn, of a few milliseconds.
    const writes = addDays.mock.calls.map(([days]) => days.length);
    expect(Math.max(...writes)).toBeLessThanOrEqual(50);
    expect(writes.length).toBeLessThanOrEqual((2 * LIMITS.journal.imagesOfDay.max) / 50);
    expect(journal.images.days(0)).toHaveLength(LIMITS.journal.imagesOfDay.max);
    expect(demand.demandOf('won:1')).toMatchObject({ wins: 1 });
    expect(demand.demandOf('often:1').wantedByDay).toEqual([3]);
  });

  test('runs beyond the limit of a day do not count before the next one', () => {
    const { clock, demand } = setUp();
    const { max } = LIMITS.broker.countedRuns;
    for (let run = 0; run <= max; run += 1) demand.decided(take(`${run}`));
    expect(demand.demandOf('app:1').wantedByDay).toEqual([max]);
    clock.advance(DAY_MS);
    demand.decided(take('more'));
    expect(demand.demandOf('app:1').wantedByDay[0]).toBe(1);
  });

  test('and a disk that refuses the counts of days leaves the latest ones', async () => {
    const { clock, demand, journal, stopped } = setUp();
    for (let day = 0; day < 4; day += 1) {
      demand.decided(take('a'));
      clock.advance(DAY_MS);
    }
    await demand.work(stopped);
    expect(journal.images.days(0)).toHaveLength(2);
  });
});
