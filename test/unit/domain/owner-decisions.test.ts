import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyCommand, type OwnerCommand } from '../../../src/domain/owner-command.ts';
import {
  type Decision,
  type Decisions,
  decided,
  type End,
  endOf,
  isOver,
  type Now,
  nextEndInMs,
} from '../../../src/domain/owner-decisions.ts';
import { LIMITS } from '../../../src/limits.ts';

const HOUR = 3_600_000;
const START: Now = { wall: 1_800_000_000_000, boot: { boot: 'a', upMs: 5 * HOUR } };
const at = (wallMs: number, upMs: number, boot = 'a'): Now => ({
  wall: START.wall + wallMs,
  boot: { boot, upMs: START.boot.upMs + upMs },
});
const pauseOf = (target: string, end?: End): Decision => ({
  kind: 'pause',
  target,
  since: START.wall,
  sinceBoot: START.boot,
  end,
  by: 'ada',
  tag: '',
});
const PARENTS = new Map([
  ['MIG-1', 'GPU-a'],
  ['MIG-2', 'GPU-a'],
]);
const FACTS = { by: 'ada', parents: PARENTS, now: START };
const apply = (before: Decisions, ...commands: readonly OwnerCommand[]): Decisions =>
  commands.reduce<Decisions>((all, command) => applyCommand(all, command, FACTS).decisions, before);
const held = (decisions: Decisions, target: string, parent?: string, now = START) =>
  decided(decisions, target, parent, now).hold !== undefined;

describe('the end of a pause', () => {
  const after: End = { kind: 'after', ms: 2 * HOUR };
  const until: End = { kind: 'at', at: START.wall + 2 * HOUR };

  test.each([
    ['in time', after, at(2 * HOUR, 2 * HOUR), true],
    ['not before', after, at(2 * HOUR - 1, 2 * HOUR - 1), false],
    ['not by a clock that was set forward', after, at(9 * HOUR, HOUR), false],
    ['although the clock was set back', after, at(-9 * HOUR, 2 * HOUR), true],
    ['after a reboot by the clock', after, at(2 * HOUR, -5 * HOUR, 'b'), true],
    ['at its time', until, at(2 * HOUR, 2 * HOUR), true],
    ['not at its time by a clock that was set forward', until, at(2 * HOUR, HOUR), false],
    ['not while the clock, set back, shows an earlier time', until, at(HOUR, 3 * HOUR), false],
    ['after a reboot at its time', until, at(2 * HOUR, 0, 'b'), true],
    ['after a reboot not before', until, at(HOUR, 0, 'b'), false],
  ])('comes %s', (_, end, now, over) => {
    expect(isOver(pauseOf('all', end), now)).toBe(over);
  });

  test('never comes early, however the clock is set, and is always ahead until it comes', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(after, until),
        fc.nat(5 * HOUR),
        fc.integer({ min: -9 * HOUR, max: 9 * HOUR }),
        (end, upMs, step) => {
          const now = at(upMs + step, upMs);
          const pause = pauseOf('all', end);
          if (isOver(pause, now)) expect(upMs).toBeGreaterThanOrEqual(2 * HOUR);
          else expect(endOf(pause, now)).toBeGreaterThan(now.wall);
          expect(nextEndInMs([pause], now)).toBe(Math.max((endOf(pause, now) ?? 0) - now.wall, 0));
        },
      ),
    );
  });
});

describe('commands', () => {
  const pause = (...targets: readonly string[]): OwnerCommand => ({ kind: 'pause', targets, tag: '' });
  const everything: OwnerCommand = { kind: 'pause', targets: 'all', tag: '' };

  test('pause one, all, and what comes later', () => {
    const one = apply([], pause('GPU-a'));
    expect([held(one, 'GPU-a'), held(one, 'GPU-b'), held(one, 'cpu')]).toEqual([true, false, false]);
    const all = apply(one, everything);
    expect([held(all, 'GPU-a'), held(all, 'GPU-new'), held(all, 'cpu')]).toEqual([true, true, true]);
    expect(all).toHaveLength(1);
  });

  test('resume some of all, and leave the others paused', () => {
    const left = apply([], everything, { kind: 'resume', targets: ['GPU-a'] });
    expect([held(left, 'GPU-a'), held(left, 'GPU-b'), held(left, 'cpu')]).toEqual([false, true, true]);
    // Also those that were not known then.
    expect(held(left, 'GPU-new')).toBe(true);
    expect(held(apply(left, pause('GPU-a')), 'GPU-a')).toBe(true);
    expect(apply(left, { kind: 'resume', targets: 'all' })).toEqual([]);
  });

  test('count for the slices of a GPU', () => {
    const paused = apply([], pause('GPU-a'));
    expect([held(paused, 'MIG-1', 'GPU-a'), held(paused, 'MIG-2', 'GPU-b')]).toEqual([true, false]);
  });

  test('take a slice out of what is decided about its GPU or about everything', () => {
    const slice: OwnerCommand = { kind: 'resume', targets: ['MIG-1'] };
    for (const paused of [
      apply([], pause('GPU-a')),
      apply([], pause('GPU-a', 'MIG-1', 'MIG-2')),
      apply([], everything),
    ]) {
      const left = apply(paused, slice);
      expect([held(left, 'MIG-1', 'GPU-a'), held(left, 'MIG-2', 'GPU-a')]).toEqual([false, true]);
    }
    const off: OwnerCommand = { kind: 'mode', targets: ['GPU-a', 'MIG-1', 'MIG-2'], mode: 'off' };
    const on = apply([], off, { kind: 'mode', targets: ['MIG-1'], mode: 'on' });
    expect(['MIG-1', 'MIG-2'].map((target) => decided(on, target, 'GPU-a', START).mode)).toEqual([
      'on',
      'off',
    ]);
  });

  test('are refused where there are too many, and changed or ended all the same', () => {
    const many = Array.from({ length: LIMITS.journal.decisions.max }, (_, index) => pauseOf(`GPU-${index}`));
    expect(() => apply(many, pause('one-more'))).toThrow(expect.objectContaining({ code: 'DECISIONS_FULL' }));
    expect(apply(many, { kind: 'resume', targets: ['GPU-0'] })).toHaveLength(many.length - 1);
    const shorter: OwnerCommand = {
      kind: 'pause',
      targets: ['GPU-0'],
      tag: '',
      end: { kind: 'after', ms: 1 },
    };
    expect(apply(many, shorter)).toHaveLength(many.length);
  });

  test('keep pauses of other tags, which resume one by one or all at once', () => {
    const slurm: OwnerCommand = { kind: 'pause', targets: ['GPU-a'], tag: 'slurm:7' };
    const both = apply([], pause('GPU-a'), slurm);
    const own = apply(both, { kind: 'resume', targets: ['GPU-a'], tag: 'slurm:7' });
    expect(held(own, 'GPU-a')).toBe(true);
    expect(held(apply(both, { kind: 'resume', targets: ['GPU-a'], tag: 'slurm:8' }), 'GPU-a')).toBe(true);
    expect(apply(both, { kind: 'resume', targets: ['GPU-a'] })).toEqual([]);
  });

  test('that say what is so already change nothing, and keep who said it first', () => {
    const paused = apply([], pause('GPU-a'));
    const again = applyCommand(paused, pause('GPU-a'), {
      ...FACTS,
      by: 'bob',
      now: at(HOUR, HOUR),
    });
    expect(again).toEqual({ decisions: paused, changed: false });
    const shorter = { ...pause('GPU-a'), end: { kind: 'after', ms: 1 } } as const;
    expect(applyCommand(paused, shorter, FACTS).changed).toBe(true);
    expect(applyCommand([], { kind: 'resume', targets: 'all' }, FACTS).changed).toBe(false);
  });

  test('set modes, which a resume leaves', () => {
    const off = apply(
      [],
      { kind: 'mode', targets: ['GPU-a'], mode: 'off' },
      { kind: 'resume', targets: 'all' },
    );
    expect([held(off, 'GPU-a'), held(off, 'GPU-b')]).toEqual([true, false]);
    expect(apply(off, { kind: 'mode', targets: 'all', mode: 'auto' })).toEqual([]);
    const on = apply(off, { kind: 'mode', targets: ['GPU-a'], mode: 'on' });
    expect(decided(on, 'GPU-a', undefined, START)).toMatchObject({ mode: 'on', hold: undefined });
  });

  test('show the pause that lasts longest', () => {
    const short = { ...pause('GPU-a'), end: { kind: 'after', ms: HOUR }, tag: 'x' } as const;
    const long = { ...everything, end: { kind: 'after', ms: 2 * HOUR } } as const;
    expect(decided(apply([], short, long), 'GPU-a', undefined, START).hold?.until).toBe(
      START.wall + 2 * HOUR,
    );
  });

  test('pause and resume of the same targets leave the others as they were', () => {
    const targets = fc.subarray(['GPU-a', 'GPU-b', 'cpu'], { minLength: 1 });
    fc.assert(
      fc.property(targets, targets, (first, second) => {
        const before = apply([], pause(...first));
        const after = apply(before, pause(...second), { kind: 'resume', targets: second });
        for (const target of ['GPU-a', 'GPU-b', 'cpu'])
          expect(held(after, target)).toBe(first.includes(target) && !second.includes(target));
      }),
    );
  });
});
