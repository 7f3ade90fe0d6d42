import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AvailabilityRule, Schedule } from '../../../../src/domain/schedule/availability.ts';
import { CPU_SLOTS, gpuTargets, type ScheduleTarget } from '../../../../src/domain/schedule/target.ts';
import { Zone } from '../../../../src/domain/schedule/zone.ts';
import { aGpu } from '../../../support/domain.ts';
import { rule } from '../../../support/schedule/rules.ts';
import { modelAvailable, modelMinutes } from './wall-model.ts';

const at = (text: string): number => Date.parse(text);
const HOUR = 3_600_000;

const schedule = (zone: string, ...rules: readonly AvailabilityRule[]) =>
  new Schedule(rules, new Zone(zone)).of(CPU_SLOTS);

/** Days on which clocks do odd things, and one on which they do not. */
const ODD_DAYS: readonly (readonly [zone: string, day: string, what: string])[] = [
  ['Europe/Berlin', '2026-03-29', '23 hours'],
  ['Europe/Berlin', '2026-10-25', '25 hours'],
  ['America/New_York', '2026-11-01', '25 hours'],
  ['America/St_Johns', '2026-03-08', 'a half-hour offset'],
  ['America/St_Johns', '2006-10-29', 'a clock set back one minute past midnight'],
  ['Australia/Lord_Howe', '2026-04-05', 'half an hour twice'],
  ['Australia/Lord_Howe', '2026-10-04', 'half an hour less'],
  ['Asia/Kathmandu', '2026-06-01', 'an offset of a quarter'],
  ['America/Havana', '2026-03-08', 'no midnight'],
  ['America/Havana', '2026-11-01', 'midnight to one twice'],
  ['Pacific/Apia', '2011-12-30', 'a day that is missing'],
  ['Pacific/Kwajalein', '1993-08-21', 'a day that is missing'],
  ['Africa/Casablanca', '2026-02-15', 'Ramadan'],
  ['Antarctica/Troll', '2026-03-29', 'two hours less'],
  ['America/New_York', '2026-12-31', 'the end of a year'],
  ['Pacific/Kiritimati', '2027-02-28', 'the day that is first of all'],
  ['UTC', '2028-02-29', 'a leap day'],
];

const minuteOfDay = fc.oneof(
  fc.constantFrom(0, 1, 30, 60, 90, 105, 120, 135, 150, 180, 1380, 1439),
  fc.integer({ min: 0, max: 1439 }),
);
const members = (count: number) =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: count - 1 }), { minLength: 1 })
    .map((all): ReadonlySet<number> => new Set(all));
const hourRange = fc
  .tuple(minuteOfDay, minuteOfDay)
  .filter(([from, to]) => from !== to)
  .map(([from, to]) => ({ from, to: to === 0 ? 1440 : to }));
const someRules = fc
  .array(
    fc.record({
      window: fc.record({
        days: fc.oneof(fc.constant(new Set([0, 1, 2, 3, 4, 5, 6])), members(7)),
        hours: fc.array(hourRange, { maxLength: 2 }),
        months: fc.oneof(fc.constant(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])), members(12)),
      }),
      available: fc.boolean(),
    }),
    { maxLength: 4 },
  )
  .map((rules) =>
    rules.map((each, index) => ({ ...each, number: index + 1, gpus: undefined, note: undefined })),
  );

describe('a schedule agrees with a wall clock that is read each minute', () => {
  test.each(ODD_DAYS)('in %s around %s (%s)', (zone, day) => {
    // One day more before, so that each day that is compared has a previous one.
    const all = modelMinutes(zone, at(`${day}T00:00Z`) - 3 * 24 * HOUR, 6);
    const minutes = all.filter(({ previous }) => previous !== undefined);
    const shared = new Zone(zone);
    fc.assert(
      fc.property(someRules, fc.integer({ min: 0, max: minutes.length - 1 }), (rules, start) => {
        const cpu = new Schedule(rules, shared).of(CPU_SLOTS);
        const expected = minutes.map((minute) => modelAvailable(rules, minute));
        const some = minutes.filter((_, index) => index % 7 === start % 7);
        const wrong = some.filter(
          (minute) => cpu.stateAt(minute.at).available !== modelAvailable(rules, minute),
        );
        expect(wrong).toEqual([]);
        const change = expected.findIndex((open, index) => index > start && open !== expected[start]);
        const next = cpu.nextChange(minutes[start]?.at ?? 0);
        if (change >= 0) expect(next).toBe(minutes[change]?.at);
        else expect(next ?? Number.POSITIVE_INFINITY).toBeGreaterThan(minutes.at(-1)?.at ?? 0);
      }),
      { numRuns: 12 },
    );
  });
});

describe('a window', () => {
  test('past midnight belongs to the day on which it begins', () => {
    const nights = schedule('Europe/Berlin', rule({ days: 'fri', hours: '22:00-07:00', available: true }));
    expect(nights.stateAt(at('2026-11-27T21:00Z')).available).toBe(true);
    expect(nights.stateAt(at('2026-11-28T05:59Z')).available).toBe(true);
    expect(nights.stateAt(at('2026-11-27T05:59Z')).available).toBe(false);
    expect(nights.windowEnd(at('2026-11-27T21:00Z'))).toBe(at('2026-11-28T06:00Z'));
  });

  test('of the last day of a month goes on into the next one', () => {
    const december = schedule('UTC', rule({ months: 'dec', hours: '22:00-07:00', available: true }));
    expect(december.stateAt(at('2027-01-01T06:59Z')).available).toBe(true);
    expect(december.stateAt(at('2027-01-01T22:00Z')).available).toBe(false);
    expect(december.stateAt(at('2026-12-01T06:59Z')).available).toBe(false);
  });

  test.each([
    ['2026-03-28T21:00Z', 8],
    ['2026-10-24T20:00Z', 10],
    ['2026-11-27T21:00Z', 9],
  ])('from 22:00 to 07:00 that begins at %s lasts %i hours', (begin, hours) => {
    const nights = schedule('Europe/Berlin', rule({ hours: '22:00-07:00', available: true }));
    expect(nights.nextChange(at(begin) - 1)).toBe(at(begin));
    expect(nights.windowEnd(at(begin))).toBe(at(begin) + hours * HOUR);
  });

  test('in the hour that is skipped does not come that day', () => {
    const early = schedule('Europe/Berlin', rule({ hours: '02:15-02:45', available: true }));
    expect(early.nextChange(at('2026-03-28T12:00Z'))).toBe(at('2026-03-30T00:15Z'));
  });

  test('in the hour that is repeated comes twice', () => {
    const early = schedule('Europe/Berlin', rule({ hours: '02:15-02:45', available: true }));
    const opens = [...early.periods(at('2026-10-24T12:00Z'), at('2026-10-25T12:00Z'))];
    expect(opens.filter(({ available }) => available).map(({ from }) => from)).toEqual([
      at('2026-10-25T00:15Z'),
      at('2026-10-25T01:15Z'),
    ]);
  });

  test('of the day before a missing day goes on into the day after it', () => {
    const thursday = schedule('Pacific/Apia', rule({ days: 'thu', hours: '22:00-07:00', available: true }));
    expect(thursday.stateAt(at('2011-12-30T10:00Z')).available).toBe(true);
    const friday = schedule('Pacific/Apia', rule({ days: 'fri', hours: '22:00-07:00', available: true }));
    expect(friday.stateAt(at('2011-12-30T10:00Z')).available).toBe(false);
  });
});

describe('rules', () => {
  const always = schedule('UTC');

  test('that do not exist leave a target available for ever', () => {
    expect(always.stateAt(0)).toMatchObject({ available: true, rule: undefined });
    expect(always.nextChange(0)).toBeUndefined();
    expect(always.windowEnd(0)).toBeUndefined();
  });

  test('of which the first opens a window leave the rest of the time closed', () => {
    const nights = schedule('UTC', rule({ hours: '22-7', available: true, note: 'nights' }));
    expect(nights.stateAt(at('2026-11-27T12:00Z'))).toMatchObject({ available: false, rule: undefined });
    expect(nights.stateAt(at('2026-11-27T23:00Z'))).toMatchObject({ available: true, why: 'nights' });
    expect(nights.windowEnd(at('2026-11-27T12:00Z'))).toBe(at('2026-11-27T12:00Z'));
  });

  test('of which the first closes a window leave the rest of the time open', () => {
    const work = rule({ days: 'mon-fri', hours: '9-17', available: false });
    const lunch = rule({ hours: '12-13', available: true });
    const workday = schedule('UTC', work, lunch);
    expect(workday.stateAt(at('2026-11-27T08:00Z')).available).toBe(true);
    expect(workday.stateAt(at('2026-11-27T11:00Z'))).toMatchObject({ available: false, rule: work });
    expect(workday.stateAt(at('2026-11-27T12:30Z'))).toMatchObject({ available: true, rule: lunch });
    expect(workday.nextChange(at('2026-11-27T11:00Z'))).toBe(at('2026-11-27T12:00Z'));
  });

  test('that follow each other without a gap do not end a window', () => {
    const both = schedule(
      'UTC',
      rule({ hours: '8-12', available: true }),
      rule({ hours: '12-18', available: true }),
    );
    expect(both.windowEnd(at('2026-11-27T09:00Z'))).toBe(at('2026-11-27T18:00Z'));
  });

  test('for months find the change that is most of a year away', () => {
    const winter = schedule('Europe/Berlin', rule({ months: 'nov', available: true }));
    expect(winter.nextChange(at('2026-12-01T00:00Z'))).toBe(at('2027-10-31T23:00Z'));
  });

  test('that never change the state have no next change', () => {
    const never = schedule(
      'Europe/Berlin',
      rule({ hours: '22-7', available: false }),
      rule({ available: true }),
    );
    expect(never.nextChange(at('2026-11-27T12:00Z'))).toBeUndefined();
  });
});

describe('a rule for some GPUs', () => {
  const gpu = { uuid: 'GPU-3f1c5ab0', index: 1, model: 'NVIDIA GeForce RTX 3090' };
  const whole: ScheduleTarget = { id: gpu.uuid, gpu };
  const slice: ScheduleTarget = { id: 'MIG-77aa0000', gpu };
  const named = (name: string, target: ScheduleTarget) =>
    new Schedule([rule({ gpus: [name], available: false })], new Zone('UTC')).of(target).rules.length === 1;

  test.each(['3090', 'rtx  3090', 'NVIDIA GeForce RTX 3090', '1', 'GPU-3f1c', 'gpu-3F1c5', '3f1c', 'all'])(
    'is about a GPU by %j, and about its slices',
    (name) => {
      expect(named(name, whole)).toBe(true);
      expect(named(name, slice)).toBe(true);
    },
  );

  test.each(['4090', '0', '10', 'GPU-9', 'cpu', ' '])('is not about a GPU by %j', (name) => {
    expect(named(name, whole)).toBe(false);
  });

  test('is about one slice by its uuid', () => {
    expect([named('MIG-77aa', slice), named('MIG-77aa', whole)]).toEqual([true, false]);
  });

  test('is about the slices of a GPU in MIG mode rather than the GPU', () => {
    const sliced = aGpu({ uuid: 'GPU-1', migMode: true, slices: [{ uuid: 'MIG-1', profile: '1g.10gb' }] });
    const bare = aGpu({ uuid: 'GPU-2', migMode: true, slices: [] });
    expect(gpuTargets([aGpu({ uuid: 'GPU-0' }), sliced, bare]).map(({ id }) => id)).toEqual([
      'GPU-0',
      'MIG-1',
      'GPU-2',
    ]);
  });

  test('is about the CPU slots by cpu alone', () => {
    expect(['cpu', 'CPU', '1', 'GPU-'].map((name) => named(name, CPU_SLOTS))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  test('changes nothing for others, and the next change is the first of any', () => {
    const rules = [
      rule({ gpus: ['cpu'], hours: '9-17', available: false }),
      rule({ gpus: ['3090'], hours: '11-12', available: false }),
    ];
    const both = new Schedule(rules, new Zone('UTC'));
    const now = at('2026-11-27T10:00Z');
    expect(both.of(whole).stateAt(now).available).toBe(true);
    expect(both.of(CPU_SLOTS).stateAt(now).available).toBe(false);
    expect(both.nextChange([CPU_SLOTS, whole], now)).toBe(at('2026-11-27T11:00Z'));
    expect(both.nextChange([], now)).toBeUndefined();
  });
});
