import { expect, test } from 'vitest';
import type { ImageDay, OwnPull } from '../../../src/domain/ports/image-records.ts';
import { LIMITS } from '../../../src/limits.ts';
import { scratchDir, withJournal } from '../../support/journal/scratch.ts';

const PULL: OwnPull = {
  engine: 'e1',
  imageId: 'sha256:a',
  ref: 'docker.io/library/a:latest',
  pulledAt: 1_000,
  bytes: 5_000,
  removedAt: undefined,
};
const DAY: ImageDay = {
  ref: 'docker.io/library/a:latest',
  day: 20_000,
  wanted: 3,
  tries: 2,
  wins: 1,
  earnedMicroDollars: 700,
  usedAt: 1_500,
};
const entry = (action: string) => ({ at: 5, by: 'alice', from: 'a test', action, detail: '{}' });

test('own pulls outlive a restart, each with its engine, and a pull after a removal is a new one', () => {
  const dir = scratchDir();
  withJournal(dir, ({ images }) => {
    images.addPull(PULL);
    images.addPull({ ...PULL, engine: 'e2' });
    images.addPull({ ...PULL, imageId: 'sha256:b', pulledAt: 2_000 });
    images.removed('e1', 'sha256:a', 3_000);
  });
  withJournal(dir, ({ images }) => {
    expect(images.pulls('e1')).toEqual([
      { ...PULL, removedAt: 3_000 },
      { ...PULL, imageId: 'sha256:b', pulledAt: 2_000 },
    ]);
    expect(images.pulls('e2')).toEqual([{ ...PULL, engine: 'e2' }]);
    images.addPull({ ...PULL, pulledAt: 4_000 });
    expect(images.pulls('e1').find(({ imageId }) => imageId === 'sha256:a')).toEqual({
      ...PULL,
      pulledAt: 4_000,
    });
  });
});

test('where there are too many pulls, removed images are forgotten first', () => {
  withJournal(scratchDir(), ({ images }) => {
    images.addPull(PULL);
    images.removed('e1', 'sha256:a', 9e9);
    for (let at = 0; at < LIMITS.journal.imagePulls.max; at += 1)
      images.addPull({ ...PULL, imageId: `sha256:${at}`, pulledAt: at });
    const pulls = images.pulls('e1');
    expect(pulls).toHaveLength(LIMITS.journal.imagePulls.max);
    expect(pulls.every(({ removedAt }) => removedAt === undefined)).toBe(true);
  });
});

test('the counts of a day add up, over restarts too, and the latest use stays', () => {
  const dir = scratchDir();
  withJournal(dir, ({ images }) => images.addDays([DAY, { ...DAY, ref: 'other', usedAt: undefined }]));
  withJournal(dir, ({ images }) => {
    images.addDays([
      { ...DAY, usedAt: undefined },
      { ...DAY, ref: 'other', wanted: 1, usedAt: 9 },
    ]);
    expect(images.days(DAY.day)).toEqual([
      { ...DAY, wanted: 6, tries: 4, wins: 2, earnedMicroDollars: 1_400 },
      { ...DAY, ref: 'other', wanted: 4, tries: 4, wins: 2, earnedMicroDollars: 1_400, usedAt: 9 },
    ]);
    expect(images.days(DAY.day + 1)).toEqual([]);
  });
});

test('days are kept for 30 days', () => {
  withJournal(scratchDir(), ({ images }) => {
    images.addDays([DAY, { ...DAY, day: DAY.day + 1 }]);
    images.addDays([{ ...DAY, day: DAY.day + 30 }]);
    expect(images.days(0).map(({ day }) => day)).toEqual([DAY.day + 1, DAY.day + 30]);
  });
});

test('a pin outlives a restart, is set once, and who set it is in the record', () => {
  const dir = scratchDir();
  const pin = { ref: DAY.ref, at: 5, by: 'alice' };
  withJournal(dir, ({ images }) => {
    expect(images.pin(pin, entry('image-pin'))).toBe(true);
    expect(images.pin({ ...pin, by: 'bob' }, entry('image-pin'))).toBe(false);
  });
  withJournal(dir, ({ decisions, images }) => {
    expect(images.pins()).toEqual([pin]);
    expect(images.unpin(DAY.ref, entry('image-unpin'))).toBe(true);
    expect(images.unpin(DAY.ref, entry('image-unpin'))).toBe(false);
    expect(decisions.audit(9).map(({ action }) => action)).toEqual(['image-unpin', 'image-pin']);
  });
});

test('more pins than can be kept are refused, and the others stay', () => {
  withJournal(scratchDir(), ({ images }) => {
    const { max } = LIMITS.journal.imagePins;
    for (let at = 0; at < max; at += 1) images.pin({ ref: `r${at}`, at, by: 'alice' }, entry('image-pin'));
    const more = (): boolean => images.pin({ ref: 'more', at: 1, by: 'alice' }, entry('image-pin'));
    expect(more).toThrow(expect.objectContaining({ code: 'IMAGE_PINS_FULL' }));
    expect(images.pins()).toHaveLength(max);
  });
});
