import { describe, expect, test } from 'vitest';
import { dueInMs } from '../../../../src/agent/pricing/ask-timing.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NINE = Date.UTC(2026, 10, 27, 9);

describe('a strategy is asked', () => {
  test.each([
    ['at the next whole hour', { asked: 0, now: 10 }, 50],
    ['now that the hour has come', { asked: 0, now: 60 }, 0],
    ['not within half an hour of the last time', { asked: 50, now: 60 }, 20],
    ['an hour after a change at the earliest', { asked: 15, changed: 15, now: 60 }, 15],
    ['at the whole hour, long after a change', { asked: 120, changed: 15, now: 130 }, 50],
  ])('%s', (_what, { asked, changed, now }: { asked: number; changed?: number; now: number }, minutes) => {
    const askedAt = at(asked);
    const changedAt = changed === undefined ? undefined : at(changed);
    expect(dueInMs({ askedAt, changedAt }, { ...at(now), uptimeMs: 0 }) / MINUTE).toBe(minutes);
  });

  test('no sooner where the wall clock is set forward', () => {
    const changedAt = at(0);
    const now = { wall: NINE + 5 * HOUR, boot: at(10).boot, uptimeMs: 10 * MINUTE };
    expect(dueInMs({ askedAt: changedAt, changedAt }, now)).toBe(50 * MINUTE);
  });

  test('within an hour where the wall clock is set back', () => {
    const changedAt = at(0);
    const now = { wall: NINE - 5 * HOUR, boot: at(60).boot, uptimeMs: HOUR };
    expect(dueInMs({ askedAt: changedAt, changedAt }, now)).toBe(0);
  });

  test('within an hour after a reboot with a wrong clock', () => {
    const changedAt = at(0);
    const boot = { boot: 'other', upMs: HOUR };
    const now = { wall: NINE - 24 * HOUR, boot, uptimeMs: HOUR };
    expect(dueInMs({ askedAt: changedAt, changedAt }, now)).toBe(0);
    expect(dueInMs({ askedAt: changedAt, changedAt }, { ...now, uptimeMs: HOUR / 2 })).toBe(HOUR / 2);
  });
});

function at(minutes: number) {
  return { wall: NINE + minutes * MINUTE, boot: { boot: 'b', upMs: minutes * MINUTE } };
}
