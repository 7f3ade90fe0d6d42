import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { expect, test } from 'vitest';
import type { ImageDay, OwnPull } from '../../../src/domain/ports/image-records.ts';
import { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { LIMITS } from '../../../src/limits.ts';
import { aNewJob } from '../../support/domain.ts';
import { openScratch, scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

const PULL: OwnPull = {
  engine: 'e',
  imageId: 'sha256:1',
  ref: 'app:1',
  pulledAt: 5,
  bytes: 2 ** 40,
  removedAt: undefined,
};
const ENTRY = { at: 5, by: 'alice', from: 'a test', action: 'image-pin', detail: 'app:1' };
const RELEASE = readFileSync(new URL('../../support/journal/release-0.1.0.sql', import.meta.url), 'utf8');

const dayOf = (more: Partial<ImageDay> = {}): ImageDay => ({
  ref: 'app:1',
  day: 20_000,
  wanted: 0,
  tries: 0,
  wins: 0,
  earnedMicroDollars: 0,
  usedAt: undefined,
  ...more,
});

test('pulls, days and pins outlive a restart', () => {
  const dir = scratchDir();
  withJournal(dir, ({ images }) => {
    images.addPull(PULL);
    images.addDays([dayOf({ wanted: 3, tries: 2 }), dayOf({ day: 20_001, wanted: 1 })]);
    images.addDays([dayOf({ wanted: 1, tries: 1, wins: 1, earnedMicroDollars: 7, usedAt: 9 })]);
    images.pin({ ref: 'app:1', at: 5, by: 'alice' }, ENTRY);
  });
  withJournal(dir, ({ images }) => {
    expect(images.pulls('e')).toEqual([PULL]);
    expect(images.pulls('another engine')).toEqual([]);
    expect(images.daysOf('app:1', 0)).toEqual([
      dayOf({ day: 20_001, wanted: 1 }),
      dayOf({ wanted: 4, tries: 3, wins: 1, earnedMicroDollars: 7, usedAt: 9 }),
    ]);
    expect(images.days(0).map(({ day }) => day)).toEqual([20_000, 20_001]);
    expect(images.daysOf('app:1', 20_001)).toHaveLength(1);
    expect(images.daysOf('app:2', 0)).toEqual([]);
    expect(images.firstDay(0)).toBe(20_000);
    expect(images.firstDay(20_002)).toBeUndefined();
    expect(images.wins(0)).toEqual({ wins: 1, earnedMicroDollars: 7 });
    expect(images.wins(20_001)).toEqual({ wins: 0, earnedMicroDollars: 0 });
    expect(images.pins()).toEqual([{ ref: 'app:1', at: 5, by: 'alice' }]);
  });
});

test('when an image was used last is the latest time, in whatever order it becomes known', () => {
  const { images } = openScratch();
  for (const usedAt of [undefined, 7, 9, undefined, 8]) images.addDays([dayOf({ usedAt })]);
  expect(images.daysOf('app:1', 0)[0]?.usedAt).toBe(9);
});

test('a removal is of the image under all of its names, and another pull takes it back', () => {
  const { images } = openScratch();
  images.addPull(PULL);
  images.addPull({ ...PULL, ref: 'app:2' });
  images.addPull({ ...PULL, imageId: 'sha256:2' });
  images.addPull({ ...PULL, engine: 'another' });
  images.removed('e', 'sha256:1', 8);
  const removals = () => images.pulls('e').map(({ imageId, ref, removedAt }) => [imageId, ref, removedAt]);
  expect(removals()).toEqual([
    ['sha256:1', 'app:1', 8],
    ['sha256:1', 'app:2', 8],
    ['sha256:2', 'app:1', undefined],
  ]);
  expect(images.pulls('another')[0]?.removedAt).toBeUndefined();
  images.addPull({ ...PULL, pulledAt: 9 });
  images.removed('e', 'sha256:2', 10);
  expect(removals()).toEqual([
    ['sha256:1', 'app:2', 8],
    ['sha256:2', 'app:1', 10],
    ['sha256:1', 'app:1', undefined],
  ]);
});

test('the images that most runs wanted come first, without those that none did', () => {
  const { images } = openScratch();
  images.addDays([
    dayOf({ ref: 'old', day: 19_990, wanted: 99 }),
    dayOf({ ref: 'b', wanted: 2 }),
    dayOf({ ref: 'a', wanted: 2 }),
    dayOf({ ref: 'c', wanted: 1, day: 19_999 }),
    dayOf({ ref: 'c', wanted: 2 }),
    dayOf({ ref: 'unwanted', tries: 3 }),
  ]);
  expect(images.wantedRefs(19_999, 9)).toEqual(['c', 'a', 'b']);
  expect(images.wantedRefs(0, 2)).toEqual(['old', 'c']);
});

test('a pin is made once, with who made it in the record', () => {
  const { decisions, images } = openScratch();
  const pin = { ref: 'app:1', at: 5, by: 'alice' };
  expect(images.pin(pin, ENTRY)).toBe(true);
  expect(images.pin({ ...pin, by: 'bob' }, { ...ENTRY, by: 'bob' })).toBe(false);
  expect(images.unpin('app:2', ENTRY)).toBe(false);
  expect(images.unpin('app:1', { ...ENTRY, action: 'image-unpin' })).toBe(true);
  expect(images.pins()).toEqual([]);
  expect(decisions.audit(9).map(({ action, by }) => [action, by])).toEqual([
    ['image-unpin', 'alice'],
    ['image-pin', 'alice'],
  ]);
});

/** Runs SQL on the journal of a directory that is not open. */
function fill(dir: string, sql: string): void {
  withJournal(dir, () => undefined);
  const db = new DatabaseSync(join(dir, 'journal.db'));
  db.exec(sql);
  db.close();
}

/** The numbers from 0 to below `n`, in SQL. */
const numbers = (n: number): string =>
  `WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${n - 1})`;

test('pins beyond the limit are refused, and nothing of them is in the record', () => {
  const dir = scratchDir();
  const { max } = LIMITS.journal.imagePins;
  fill(dir, `${numbers(max)} INSERT INTO image_pins SELECT 'app:' || i, 5, 'alice' FROM n`);
  withJournal(dir, ({ decisions, images }) => {
    const more = () => images.pin({ ref: 'more', at: 5, by: 'bob' }, ENTRY);
    expect(agentErrorOf(more).code).toBe('IMAGE_PINS_FULL');
    expect(images.pins()).toHaveLength(max);
    expect(decisions.audit(1)).toEqual([]);
    images.unpin('app:7', ENTRY);
    expect(more()).toBe(true);
  });
});

test('of too many pulls those of removed images are forgotten first, then the oldest', () => {
  const dir = scratchDir();
  const { max } = LIMITS.journal.imagePulls;
  fill(
    dir,
    `${numbers(max)} INSERT INTO image_pulls (engine, image_id, ref, pulled_at, bytes)
       SELECT 'e', 'sha256:' || i, 'app:1', i, 1 FROM n`,
  );
  withJournal(dir, ({ images }) => {
    images.removed('e', 'sha256:7', 9);
    for (const n of [max, max + 1]) images.addPull({ ...PULL, imageId: `sha256:${n}`, pulledAt: n });
    const kept = new Set(images.pulls('e').map(({ imageId }) => imageId));
    expect(kept.size).toBe(max);
    expect(['sha256:7', 'sha256:0', 'sha256:1'].map((id) => kept.has(id))).toEqual([false, false, true]);
  });
});

test('of too many images of a day those that say most are kept, and of other days all', () => {
  const { images } = openScratch();
  const { max } = LIMITS.journal.imagesOfDay;
  images.addDays([dayOf({ ref: 'other', day: 19_999, wanted: 1 })]);
  images.addDays([dayOf({ ref: 'won', wins: 1, tries: 1 }), dayOf({ ref: 'tried', tries: 1 })]);
  images.addDays(Array.from({ length: max }, (_, n) => dayOf({ ref: `w${n}`, wanted: n + 1 })));
  const kept = new Set(images.wantedRefs(0, 9_999));
  expect(kept.size).toBe(max - 2 + 1);
  expect([images.daysOf('won', 0).length, images.daysOf('tried', 0).length]).toEqual([1, 1]);
  expect([kept.has('w0'), kept.has('w1'), kept.has('w2'), kept.has('other')]).toEqual([
    false,
    false,
    true,
    true,
  ]);
});

test('the latest days are kept, also where a clock was wrong for a while', () => {
  const { images } = openScratch();
  const { max } = LIMITS.journal.imageDays;
  images.addDays([dayOf({ day: 99_999, wanted: 1 })]);
  for (let day = 1; day <= max; day += 1) images.addDays([dayOf({ day, wanted: 1 })]);
  const days = images.daysOf('app:1', 0).map(({ day }) => day);
  expect(days).toHaveLength(max);
  expect([days[0], days[1], days.at(-1)]).toEqual([99_999, max, 2]);
});

test('the image of a job is known from its claim on, also of one that is claimed again', () => {
  const journal = openScratch();
  journal.insert(aNewJob({ uuid: 'a' }), 'f', 'app:1');
  journal.insert(aNewJob({ uuid: 'b' }), 'f');
  expect(journal.images.imageOf('a')).toBe('app:1');
  expect(journal.images.imageOf('b')).toBeUndefined();
  journal.transition('a', { name: 'dropped', why: 'x' });
  journal.insert(aNewJob({ uuid: 'a' }), 'f', 'app:2');
  expect(journal.images.imageOf('a')).toBe('app:2');
});

test('the images of the latest jobs are known', () => {
  const dir = scratchDir();
  const { max } = LIMITS.journal.jobImages;
  fill(dir, `${numbers(max)} INSERT INTO job_images (job, ref) SELECT 'job' || i, 'app:1' FROM n`);
  withJournal(dir, (journal) => {
    journal.insert(aNewJob({ uuid: 'new' }), 'f', 'app:2');
    const images = ['job0', 'job1', 'new'].map((job) => journal.images.imageOf(job));
    expect(images).toEqual([undefined, 'app:1', 'app:2']);
  });
});

test('a journal of an older agent opens, and knows nothing of images before it is opened', () => {
  const dir = scratchDir();
  const file = join(dir, 'journal.db');
  const db = new DatabaseSync(file);
  db.exec(RELEASE);
  const { images } = new SqliteJournal({ db, file, agentId: 'a', broker: '', clock: systemClock });
  expect(images.pulls('e')).toEqual([]);
  expect(images.days(0)).toEqual([]);
  expect(images.daysOf('app:1', 0)).toEqual([]);
  expect(images.wantedRefs(0, 9)).toEqual([]);
  expect(images.firstDay(0)).toBeUndefined();
  expect(images.wins(0)).toEqual({ wins: 0, earnedMicroDollars: 0 });
  expect(images.imageOf('a')).toBeUndefined();
  expect(images.pins()).toEqual([]);
  db.close();
  withJournal(dir, (journal) => journal.images.addPull(PULL));
  withJournal(dir, (journal) => expect(journal.images.pulls('e')).toEqual([PULL]));
});
