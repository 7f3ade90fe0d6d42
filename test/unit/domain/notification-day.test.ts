import { describe, expect, test } from 'vitest';
import {
  dueSummary,
  firstSummary,
  isFromTheFuture,
  type LastSummary,
} from '../../../src/domain/notification-day.ts';
import { Zone } from '../../../src/domain/schedule/zone.ts';

const BERLIN = new Zone('Europe/Berlin');
const NINE = 9 * 60;
const HALF_PAST_TWO = 2 * 60 + 30;
const DAY = 86_400_000;
const at = (text: string): number => Date.parse(text);

/** When summaries come between two times, for an owner who looks every minute. */
function summaries(from: string, to: string, minute: number, zone = BERLIN): readonly string[] {
  let last: LastSummary = firstSummary(zone, minute, at(from));
  const came: string[] = [];
  for (let now = at(from); now < at(to); now += 60_000) {
    const due = dueSummary(zone, minute, last, now);
    if (due === undefined) continue;
    last = due;
    came.push(new Date(now).toISOString());
  }
  return came;
}

describe('the daily summary', () => {
  test('comes at the same time of the wall, also over both changes of the clock', () => {
    expect(summaries('2026-03-27T12:00Z', '2026-03-31T00:00Z', NINE)).toEqual([
      '2026-03-28T08:00:00.000Z',
      '2026-03-29T07:00:00.000Z',
      '2026-03-30T07:00:00.000Z',
    ]);
    expect(summaries('2026-10-24T12:00Z', '2026-10-27T00:00Z', NINE)).toEqual([
      '2026-10-25T08:00:00.000Z',
      '2026-10-26T08:00:00.000Z',
    ]);
  });

  test('comes right after an hour that the clock leaves out, and once in one that it shows twice', () => {
    expect(summaries('2026-03-28T12:00Z', '2026-03-30T12:00Z', HALF_PAST_TWO)).toEqual([
      '2026-03-29T01:00:00.000Z',
      '2026-03-30T00:30:00.000Z',
    ]);
    expect(summaries('2026-10-24T12:00Z', '2026-10-26T12:00Z', HALF_PAST_TWO)).toEqual([
      '2026-10-25T00:30:00.000Z',
      '2026-10-26T01:30:00.000Z',
    ]);
  });

  test('comes once a day in a zone whose days begin at other times than those of UTC', () => {
    const zone = new Zone('Pacific/Kiritimati');
    expect(summaries('2026-11-27T00:00Z', '2026-11-30T00:00Z', 0, zone)).toEqual([
      '2026-11-27T10:00:00.000Z',
      '2026-11-28T10:00:00.000Z',
      '2026-11-29T10:00:00.000Z',
    ]);
  });

  test('comes late where the agent did not run at its time, and not at once when it is first asked for', () => {
    const morning = firstSummary(BERLIN, NINE, at('2026-11-27T07:00Z'));
    const noon = firstSummary(BERLIN, NINE, at('2026-11-27T11:00Z'));
    expect(dueSummary(BERLIN, NINE, morning, at('2026-11-27T20:00Z'))).toBeDefined();
    expect(dueSummary(BERLIN, NINE, noon, at('2026-11-27T20:00Z'))).toBeUndefined();
    expect(dueSummary(BERLIN, NINE, noon, at('2026-11-30T05:00Z'))).toBeUndefined();
    expect(dueSummary(BERLIN, NINE, noon, at('2026-11-30T20:00Z'))).toBeDefined();
  });

  test('does not wait for a clock that was ahead', () => {
    const now = at('2026-11-27T11:00Z');
    const ahead = firstSummary(BERLIN, NINE, now + 400 * DAY);
    expect(isFromTheFuture(BERLIN, ahead, now)).toBe(true);
    expect(isFromTheFuture(BERLIN, firstSummary(BERLIN, NINE, now), now)).toBe(false);
    expect(isFromTheFuture(BERLIN, firstSummary(BERLIN, NINE, now + 3_600_000), now)).toBe(false);
  });
});
