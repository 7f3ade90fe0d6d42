import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import type { Run } from '../../../src/domain/run.ts';
import { inSlices } from '../../../src/lib/slices.ts';
import { summaryOf } from '../../../src/market-history/summary.ts';
import { anOffer, aRun } from '../../support/domain.ts';
import { logged } from '../../support/log/log-into.ts';
import { ListedRuns } from '../../support/market/listed-runs.ts';
import { MINUTE, Recording, START } from '../../support/market/recording.ts';

async function open(list: readonly Run[] = []) {
  const broker = new ListedRuns();
  broker.list = list;
  return { broker, recording: await Recording.open(broker) };
}

const many = (count: number, from = 0): readonly Run[] =>
  Array.from({ length: count }, (_, at) =>
    aRun({ uuid: `0b5f3c1e-0000-4000-8000-${String(from + at).padStart(12, '0')}`, bidPrice: 0.1 }),
  );

describe('intervals', () => {
  test('end where the bid changes, and where a run comes again', async () => {
    const { broker, recording } = await open([aRun()]);
    await using _ = recording;
    await recording.poll();
    broker.list = [aRun({ bidPrice: 0.3 })];
    await recording.poll();
    await recording.poll();
    broker.list = [];
    await recording.poll();
    broker.list = [aRun({ bidPrice: 0.3 })];
    await recording.poll();
    expect(await recording.seen()).toMatchObject([
      { bid: 0.1, minutes: [1, 1] },
      { bid: 0.3, minutes: [2, 3] },
      { bid: 0.3, minutes: [5, 5] },
    ]);
  });

  test('have the most jobs', async () => {
    const { broker, recording } = await open([aRun({ numJobs: 2 })]);
    await using _ = recording;
    for (const numJobs of [2, 7, 3]) {
      broker.list = [aRun({ numJobs })];
      await recording.poll();
    }
    expect(await recording.seen()).toMatchObject([{ jobs: 7 }]);
  });

  test('go on where a list is cut above their bid', async () => {
    const { broker, recording } = await open([
      aRun({ bidPrice: 0.1 }),
      aRun({ uuid: 'high', bidPrice: 0.9 }),
    ]);
    await using _ = recording;
    await recording.poll();
    broker.list = [aRun({ uuid: 'other', bidPrice: 0.5 })];
    broker.more = { isCut: true };
    await recording.poll();
    broker.more = {};
    await recording.poll();
    expect(await recording.seen()).toMatchObject([
      { run: 'run-1', minutes: [1, 2] },
      { run: 'high', minutes: [1, 1] },
      { run: 'other', minutes: [2, 3] },
    ]);
  });

  test('end where the clock is set back, and begin again', async () => {
    const { recording } = await open([aRun()]);
    await using _ = recording;
    await recording.poll();
    await recording.poll();
    await recording.poll(-60);
    await recording.poll();
    expect(await recording.seen()).toMatchObject([{ minutes: [-58, -57] }, { minutes: [1, 2] }]);
  });
});

describe('coverage', () => {
  test('says when an offer could take jobs, was paused or offline; a time without polls is none', async () => {
    const { recording } = await open();
    await using _ = recording;
    const offer = anOffer();
    for (const [state, minutes] of [
      ['online', 1],
      ['online', 1],
      ['paused', 1],
      ['paused', 1],
      ['online', 60],
      ['offline', 1],
    ] as const) {
      recording.offers = [{ offer, state, runs: [] }];
      await recording.poll(minutes);
    }
    const found = recording.history.coverage(offer.key, { from: START, until: START + 90 * MINUTE });
    const at = (from: number, until: number) => ({
      from: START + from * MINUTE,
      until: START + until * MINUTE,
    });
    expect(found).toEqual({
      knownFrom: START + MINUTE,
      lastPoll: START + 65 * MINUTE,
      online: [at(1, 2)],
      paused: [at(2, 4)],
      offline: [at(64, 65)],
    });
  });
});

test('the summary has size, coverage, runs per day and the median bid', async () => {
  const { broker, recording } = await open();
  await using _ = recording;
  broker.list = [0.1, 0.2, 0.9].map((bidPrice, at) => aRun({ uuid: `run-${at}`, bidPrice }));
  const gpu = { baseGpu: 'gpu-t4', baseGpuName: 'Nvidia Tesla T4 16GB' };
  broker.list = [...broker.list, aRun({ uuid: 'on-gpu', bidPrice: 0.4, ...gpu })];
  await recording.poll();
  await recording.poll();
  expect(summaryOf(recording.directory, recording.wall)).toMatchObject({
    since: START + MINUTE,
    coverage: 1 / (7 * 24 * 60),
    days: [{ runs: 4 }],
    medianBids: [
      { gpu: null, name: null, runs: 3, bid: 0.2 },
      { gpu: 'gpu-t4', name: 'Nvidia Tesla T4 16GB', runs: 1, bid: 0.4 },
    ],
  });
});

describe('a file', () => {
  test.each([
    ['that is damaged', (file: string) => writeFile(file, 'x'.repeat(10_000))],
    ['that is empty', (file: string) => writeFile(file, '')],
    ['that is a directory', (file: string) => mkdir(file)],
    ['of another program', async (file: string) => execIn(file, 'CREATE TABLE t (x)')],
    [
      'of a newer agent',
      async (file: string) => execIn(file, 'PRAGMA application_id = 0x53436d68; PRAGMA user_version = 99'),
    ],
    ['that is missing beside its log', (file: string) => writeFile(`${file}-wal`, 'x')],
  ])('%s is replaced, and a new one begun', async (_what, spoil) => {
    const { recording } = await open([aRun()]);
    await using _recording = recording;
    recording.history.close();
    for (const part of ['', '-wal', '-shm']) await rm(`${recording.file}${part}`, { force: true });
    await spoil(recording.file);
    recording.restart();
    await recording.poll();
    expect(recording.replaced).toHaveLength(1);
    expect(await recording.seen()).toHaveLength(1);
  });

  test('that is damaged while it is used is replaced, and recording goes on', async () => {
    const { broker, recording } = await open(many(3_000));
    await using _ = recording;
    await recording.poll();
    recording.history.close();
    const bytes = await readFile(recording.file);
    bytes.fill(0x5a, 4_096 * 30);
    await writeFile(recording.file, bytes);
    recording.restart();
    broker.list = [];
    for (let at = 0; at < 3; at += 1) await recording.poll();
    broker.list = [aRun()];
    await recording.poll();
    expect(recording.replaced).toEqual(['it is damaged']);
    expect(await recording.seen()).toMatchObject([{ run: 'run-1' }]);
    expect(logged(recording.log, 'market-history-failed')).toHaveLength(1);
    expect(logged(recording.log, 'market-history-resumed')).toHaveLength(1);
  });

  test('of an older agent has its runs, and gets the names of GPUs', async () => {
    const { broker, recording } = await open([aRun({ baseGpu: 'gpu-a', baseGpuName: 'A' })]);
    await using _ = recording;
    await recording.poll();
    recording.history.close();
    execIn(recording.file, 'ALTER TABLE gpus DROP COLUMN name');
    const named = () => summaryOf(recording.directory, recording.wall)?.medianBids;
    expect(named()).toMatchObject([{ gpu: 'gpu-a', name: null, runs: 1 }]);
    recording.restart();
    broker.list = [...broker.list, aRun({ uuid: 'another', baseGpu: 'gpu-a', baseGpuName: 'A' })];
    await recording.poll();
    expect(named()).toMatchObject([{ gpu: 'gpu-a', name: 'A', runs: 2 }]);
  });

  test('is for its owner alone', async () => {
    const { recording } = await open();
    await using _ = recording;
    await recording.poll();
    expect((await stat(recording.file)).mode & 0o777).toBe(0o600);
  });

  test('stays within its size with its log; the oldest runs become hourly sums', async () => {
    const { broker, recording } = await open();
    await using _ = recording;
    recording.maxBytes = 3_000_000;
    recording.restart();
    for (let at = 0; at < 12; at += 1) {
      broker.list = many(4_000, at * 4_000);
      await recording.poll();
      const sizes = await Promise.all(['', '-wal'].map((part) => stat(`${recording.file}${part}`)));
      expect(sizes.reduce((sum, { size }) => sum + size, 0)).toBeLessThanOrEqual(3_000_000);
    }
    const all = { from: 0, until: START * 2 };
    const kept = await recording.seen();
    const sums = await inSlices(recording.history.histogram(all));
    expect(kept.length).toBeGreaterThan(4_000);
    expect(kept.length + sums.reduce((sum, { runs }) => sum + runs, 0)).toBe(48_000);
    expect(recording.history.coverage('', all).knownFrom).toBeGreaterThan(START + MINUTE);
  });

  test('has no room for more open runs than its size', async () => {
    const { recording } = await open(many(30_000));
    await using _ = recording;
    recording.maxBytes = 2_000_000;
    recording.restart();
    await recording.poll();
    await recording.poll();
    expect((await stat(recording.file)).size).toBeLessThanOrEqual(2_000_000);
    expect(logged(recording.log, 'market-history-full')).toHaveLength(1);
  });
});

function execIn(file: string, sql: string): void {
  const db = new DatabaseSync(file);
  db.exec(sql);
  db.exec('CREATE TABLE IF NOT EXISTS other (x)');
  db.close();
}
