import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Calendar } from '../../../../src/agent/calendar/calendar.ts';
import { Holds } from '../../../../src/agent/holds/holds.ts';
import { type AvailabilityRule, Schedule } from '../../../../src/domain/schedule/availability.ts';
import { Zone } from '../../../../src/domain/schedule/zone.ts';
import { aGpu } from '../../../support/domain.ts';
import { logged, logInto } from '../../../support/log/log-into.ts';
import { rule } from '../../../support/schedule/rules.ts';

const at = (text: string): number => Date.parse(text);
const scheduleOf = (...rules: readonly AvailabilityRule[]) => new Schedule(rules, new Zone('Europe/Berlin'));
const EVENING = rule({ hours: '18:00-23:00', available: false, note: 'evening window' });

/** A calendar at a time, whose clock and timers are the test's. */
function calendarAt(time: string, ...rules: readonly AvailabilityRule[]) {
  vi.setSystemTime(at(time));
  const lines: string[] = [];
  const calendar = new Calendar({
    schedule: scheduleOf(...rules),
    clock: { now: () => Date.now() },
    log: logInto(lines),
  });
  let changes = 0;
  calendar.changed.subscribe(() => void (changes += 1));
  calendar.check();
  const before = changes;
  return { calendar, changes: () => changes - before, unknown: () => logged(lines, 'schedule-gpu-unknown') };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('the calendar', () => {
  test('holds a target outside of its windows, with why and until when', () => {
    const { calendar } = calendarAt('2026-11-27T19:00+01:00', EVENING);
    const until = at('2026-11-27T23:00+01:00');
    expect(calendar.hold('cpu')).toMatchObject({ kind: 'calendar', why: 'evening window', until });
    expect(calendar.hold('GPU-unknown')).toMatchObject({ why: 'evening window', until });
    expect(calendar.begins('cpu')).toBe(Date.now());
    vi.setSystemTime(until);
    expect(calendar.hold('cpu')).toBeUndefined();
    expect(calendar.begins('cpu')).toBe(at('2026-11-28T18:00+01:00'));
  });

  test('without rules holds nothing, ever', () => {
    const { calendar } = calendarAt('2026-11-27T19:00Z');
    expect([calendar.hold('cpu'), calendar.begins('cpu'), calendar.nextChange(['cpu'])]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  test('gives the reason of the rule in force, while one closed window follows another', () => {
    const lunch = rule({ hours: '23:00-23:30', available: false, note: 'backup' });
    const { calendar } = calendarAt('2026-11-27T19:00+01:00', EVENING, lunch);
    expect(calendar.hold('cpu')).toMatchObject({
      why: 'evening window',
      until: at('2026-11-27T23:30+01:00'),
    });
    vi.setSystemTime(at('2026-11-27T23:10+01:00'));
    expect(calendar.hold('cpu')).toMatchObject({ why: 'backup', until: at('2026-11-27T23:30+01:00') });
  });

  test('knows the GPUs that it has seen by their model and index, also their slices', () => {
    const gpus = [
      aGpu({ uuid: 'GPU-0', index: 0, model: 'NVIDIA T4' }),
      aGpu({ uuid: 'GPU-1', index: 1, migMode: true, slices: [{ uuid: 'MIG-1', profile: '1g.10gb' }] }),
    ];
    const rules = [rule({ gpus: ['t4'], available: false }), rule({ gpus: ['1'], available: false })];
    const { calendar, changes } = calendarAt('2026-11-27T19:00Z', ...rules);
    expect(calendar.hold('GPU-0')).toBeUndefined();
    calendar.seen(gpus);
    expect(changes()).toBe(1);
    const held = ['GPU-0', 'GPU-1', 'MIG-1', 'cpu'].filter((target) => calendar.hold(target) !== undefined);
    expect(held).toEqual(['GPU-0', 'GPU-1', 'MIG-1']);
    calendar.seen(gpus);
    expect(changes()).toBe(1);
  });

  test('logs each name once that no GPU of this host has', () => {
    const { calendar, unknown } = calendarAt(
      '2026-11-27T19:00Z',
      rule({ gpus: ['4090', 'cpu'], available: false }),
    );
    expect(unknown()).toEqual([]);
    calendar.seen([aGpu({ uuid: 'GPU-0', model: 'NVIDIA T4' })]);
    calendar.seen([]);
    expect(unknown()).toMatchObject([{ rule: 1, gpu: '4090' }]);
  });

  test('notifies at each change, and not between', async () => {
    const { calendar, changes } = calendarAt('2026-11-27T17:59:50+01:00', EVENING);
    const controller = new AbortController();
    const working = calendar.work(controller.signal);
    await vi.advanceTimersByTimeAsync(9_900);
    expect(changes()).toBe(0);
    await vi.advanceTimersByTimeAsync(200);
    expect(changes()).toBe(1);
    await vi.advanceTimersByTimeAsync(5 * 3_600_000);
    expect(changes()).toBe(2);
    controller.abort();
    await working;
  });

  test.each([
    ['forward past a change', '2026-11-27T18:30+01:00'],
    ['back past a change', '2026-11-26T22:59+01:00'],
  ])('notices within seconds that the clock was set %s', async (_, time) => {
    const { calendar, changes } = calendarAt('2026-11-27T12:00+01:00', EVENING);
    const controller = new AbortController();
    const working = calendar.work(controller.signal);
    vi.setSystemTime(at(time));
    await vi.advanceTimersByTimeAsync(10_000);
    expect(changes()).toBe(1);
    expect(calendar.hold('cpu')).toMatchObject({ why: 'evening window' });
    controller.abort();
    await working;
  });

  test('announces at its start what has changed since the last check', async () => {
    const { calendar, changes } = calendarAt('2026-11-27T12:00+01:00', EVENING);
    vi.setSystemTime(at('2026-11-27T18:30+01:00'));
    const controller = new AbortController();
    const working = calendar.work(controller.signal);
    expect(changes()).toBe(1);
    controller.abort();
    await working;
  });

  test('follows another schedule at once', async () => {
    const { calendar, changes } = calendarAt('2026-11-27T19:00+01:00');
    const controller = new AbortController();
    const working = calendar.work(controller.signal);
    calendar.follow(scheduleOf(EVENING));
    expect([changes(), calendar.hold('cpu')?.why]).toEqual([1, 'evening window']);
    await vi.advanceTimersByTimeAsync(4 * 3_600_000 + 100);
    expect([changes(), calendar.hold('cpu')]).toEqual([2, undefined]);
    controller.abort();
    await working;
  });

  test('has the next change of some targets, and is a source of holds', () => {
    const rules = [
      rule({ gpus: ['GPU-00000000'], hours: '20-21', available: false }),
      rule({ gpus: ['cpu'], hours: '22-23', available: false }),
    ];
    const { calendar } = calendarAt('2026-11-27T19:00+01:00', ...rules);
    expect(calendar.nextChange(['cpu', 'GPU-00000000'])).toBe(at('2026-11-27T20:00+01:00'));
    expect(calendar.nextChange(['cpu'])).toBe(at('2026-11-27T22:00+01:00'));
    expect(new Holds([calendar]).begins('cpu')).toBe(at('2026-11-27T22:00+01:00'));
  });

  test('is overridden by mode on, up to the end of that', () => {
    const { calendar } = calendarAt('2026-11-27T19:00+01:00', EVENING);
    const begins = (until: string | undefined) =>
      new Holds([calendar], () => ({ until: until === undefined ? undefined : at(until) })).begins('cpu');
    expect(begins(undefined)).toBeUndefined();
    expect(begins('2026-11-27T22:00+01:00')).toBe(at('2026-11-27T22:00+01:00'));
    expect(begins('2026-11-27T23:30+01:00')).toBe(at('2026-11-28T18:00+01:00'));
  });
});
