import { expect, test } from 'vitest';
import { RecentEvents } from '../../../src/agent/events/recent-events.ts';
import { LIMITS } from '../../../src/limits.ts';

const { max } = LIMITS.log.recentEvents;

function remembered(now = 1_000) {
  return new RecentEvents({ clock: { now: () => now }, redact: (line) => line.replaceAll('s3cret', '***') });
}

function adopted(recent: RecentEvents, count: number): void {
  for (let n = 0; n < count; n += 1) recent.observe({ kind: 'recovery-completed', adopted: n });
}

test('an event is what its line of the log says, without secrets', () => {
  const recent = remembered();
  recent.observe({ kind: 'claiming-paused', blockedBy: ['disk'], why: 'full of s3cret', hint: undefined });
  expect(recent.after(0, 10).events).toMatchObject([
    { at: 1_000, level: 'warn', event: 'claiming-paused', fields: { blockedBy: ['disk'] } },
  ]);
  expect(JSON.stringify(recent.after(0, 10))).not.toContain('s3cret');
});

test('only the latest are remembered, and a client learns how many it missed', () => {
  const recent = remembered();
  adopted(recent, 1);
  const seen = recent.after(0, 10).events[0]?.seq ?? 0;
  adopted(recent, max + 5);
  const { events, leftOut } = recent.after(seen, max);
  expect(events).toHaveLength(max);
  expect(leftOut).toBe(5);
  expect(recent.after(events.at(-1)?.seq ?? 0, max)).toEqual({ events: [], leftOut: 0 });
  expect(recent.after(0, 2).events.map(({ fields }) => fields['adopted'])).toEqual([max + 3, max + 4]);
});

test('large events take the place of more small ones', () => {
  const recent = remembered();
  const why = 'x'.repeat(1_900);
  for (let n = 0; n < max; n += 1)
    recent.observe({
      kind: 'claiming-paused',
      blockedBy: Array.from({ length: 7 }, () => why),
      why,
      hint: why,
    });
  const size = JSON.stringify(recent.after(0, max).events).length;
  expect(size).toBeLessThan(1.1 * LIMITS.log.recentEventsSize.max);
});

test('a client of an earlier agent gets every event of this one once, also where its clock was ahead', () => {
  const before = remembered(5_000);
  adopted(before, 3);
  const last = before.after(0, 10).events.at(-1)?.seq ?? 0;
  for (const now of [6_000, 2_000]) {
    const next = remembered(now);
    adopted(next, 2);
    const { events, leftOut } = next.after(last, 10);
    expect([events.length, leftOut]).toEqual([2, 0]);
    expect(next.after(events[1]?.seq ?? 0, 10).events).toEqual([]);
  }
});
