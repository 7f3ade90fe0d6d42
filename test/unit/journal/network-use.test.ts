import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, onTestFinished, test } from 'vitest';
import type { NetworkUse } from '../../../src/domain/network-use.ts';
import { openJournal, readJournal } from '../../../src/journal/open-journal.ts';
import { SCHEMA_VERSION } from '../../../src/journal/schema.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { prune } from '../../support/journal/prune.ts';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { BROKER, scratchDir } from '../../support/journal/scratch.ts';

function timedJournal(): { journal: SqliteJournal; time: { now: number }; dir: string } {
  const time = { now: 1_000 };
  const dir = scratchDir();
  const state = openStateDir(dir);
  const journal = openJournal(state, BROKER, { now: () => time.now, monotonic: () => time.now });
  onTestFinished(() => {
    journal.close();
    state.close();
  });
  return { journal, time, dir };
}

const use = (more: Partial<NetworkUse> = {}): NetworkUse => ({
  job: 'a',
  container: 'c1',
  address: '172.18.0.2',
  startedAt: 2_000,
  endedAt: null,
  traffic: null,
  ...more,
});

test('what becomes known of a container is added, and what is not known any more stays', () => {
  const { journal } = timedJournal();
  const job = journal.insert(newJob('a'));
  expect(journal.networkUse(job)).toBeUndefined();
  journal.recordNetworkUse(use());
  journal.recordNetworkUse(use({ traffic: { sentBytes: 2 ** 40, receivedBytes: 7 } }));
  journal.recordNetworkUse(use({ address: null, endedAt: 9_000, startedAt: 8_000 }));
  const traffic = { sentBytes: 2 ** 40, receivedBytes: 7 };
  expect(journal.networkUse(job)).toEqual(use({ traffic, endedAt: 9_000 }));
});

test('a job that came back has its own count, and its earlier address is still known', () => {
  const { journal, time } = timedJournal();
  journal.insert(newJob('a'));
  journal.recordNetworkUse(use({ endedAt: 3_000 }));
  for (const name of ['releasing', 'released'] as const) journal.transition('a', stateNamed(name));
  time.now = 4_000;
  const again = journal.insert(newJob('a'));
  expect(journal.networkUse(again)).toBeUndefined();
  const second = use({ container: 'c2', address: '172.18.0.3', startedAt: 5_000 });
  journal.recordNetworkUse(second);
  expect(journal.networkUse(again)).toEqual(second);
  expect(journal.networkUsesAt('172.18.0.2', 2_500, 2_500)).toEqual([use({ endedAt: 3_000 })]);
});

test('an address is looked up by time', () => {
  const { journal } = timedJournal();
  journal.recordNetworkUse(use({ container: 'c1', endedAt: 3_000 }));
  journal.recordNetworkUse(use({ container: 'c2', startedAt: 3_500 }));
  const at = (from: number, to: number) =>
    journal.networkUsesAt('172.18.0.2', from, to).map(({ container }) => container);
  expect(at(1_000, 1_999)).toEqual([]);
  expect(at(1_000, 2_000)).toEqual(['c1']);
  expect(at(3_000, 3_000)).toEqual(['c1']);
  expect(at(3_100, 3_400)).toEqual([]);
  expect(at(2_900, 3_600)).toEqual(['c1', 'c2']);
  expect(at(99_000, 99_000)).toEqual(['c2']);
});

test('a container with no known end had its address until the next one got it', () => {
  const { journal } = timedJournal();
  journal.recordNetworkUse(use({ container: 'c1', startedAt: 2_000 }));
  journal.recordNetworkUse(use({ container: 'c2', startedAt: 2_500, address: '172.18.0.3' }));
  journal.recordNetworkUse(use({ container: 'c3', startedAt: 4_000, endedAt: 5_000 }));
  const at = (time: number) =>
    journal.networkUsesAt('172.18.0.2', time, time).map(({ container }) => container);
  expect(at(3_999)).toEqual(['c1']);
  expect(at(4_001)).toEqual(['c3']);
  expect(at(6_000)).toEqual([]);
});

test('is forgotten with its job', () => {
  const { journal, time } = timedJournal();
  journal.insert(newJob('a'));
  journal.recordNetworkUse(use());
  journal.transition('a', stateNamed('dropped'));
  prune(journal, 1_000);
  expect(journal.networkUsesAt('172.18.0.2', 2_000, 2_000)).toHaveLength(1);
  time.now = 9_000;
  prune(journal, 8_000);
  expect(journal.networkUsesAt('172.18.0.2', 2_000, 2_000)).toEqual([]);
});

test('the table changes nothing for the previous release, whose schema version stays', () => {
  const { dir } = timedJournal();
  const db = new DatabaseSync(join(dir, 'journal.db'), { readOnly: true });
  onTestFinished(() => db.close());
  expect(db.prepare('PRAGMA user_version').get()).toEqual({ user_version: 2 });
  expect(SCHEMA_VERSION).toBe(2);
});

test('a journal that only an older agent has written is read without it', () => {
  const { dir, journal } = timedJournal();
  const job = journal.insert(newJob('a'));
  const db = new DatabaseSync(join(dir, 'journal.db'));
  db.exec('DROP TABLE network_use');
  db.close();
  const reader = readJournal(dir);
  onTestFinished(() => reader?.close());
  expect(reader?.networkUse(job)).toBeUndefined();
  expect(reader?.networkUsesAt('172.18.0.2', 0, 1)).toEqual([]);
});

test('what a crash has left without an end is ended, but for containers that are still there', () => {
  const { journal } = timedJournal();
  for (const container of ['c1', 'c2', 'c3']) journal.recordNetworkUse(use({ container }));
  journal.recordNetworkUse(use({ container: 'c3', endedAt: 3_000 }));
  journal.endNetworkUses(['c2'], 9_000);
  const ends = journal.networkUsesAt('172.18.0.2', 0, 99_000).map(({ endedAt }) => endedAt);
  expect(ends).toEqual([9_000, null, 3_000]);
});
