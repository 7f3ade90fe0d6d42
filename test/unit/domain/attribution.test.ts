import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { attributeExit, type ExitFacts, runtimeMs } from '../../../src/domain/attribution.ts';
import type { Exit } from '../../../src/domain/ports/runtime.ts';

const TIMEOUT_MS = 60_000;

const exit = (code: number, more: Partial<Exit> = {}): Exit => ({
  code,
  oomKilled: false,
  startedAt: 1_000,
  finishedAt: 11_000,
  exitOrigin: 'job',
  ...more,
});

const end = (more: Partial<ExitFacts>): ExitFacts => ({
  exit: exit(0),
  returned: false,
  decided: undefined,
  timeoutMs: TIMEOUT_MS,
  ranMs: 10_000,
  unwatched: false,
  rebooted: false,
  ...more,
});

/** The kind of the ending that is reported, or `release`. */
function judged(more: Partial<ExitFacts>): string {
  const judgement = attributeExit(end(more));
  return judgement.kind === 'report' ? judgement.ending.kind : judgement.kind;
}

const deadline = { kind: 'deadline' } as const;
const givenBack = { kind: 'evicted', why: 'the owner wants the machine' } as const;

describe('whose end it was', () => {
  test.each<[string, Partial<ExitFacts>, string]>([
    ['it returned', { returned: true }, 'exited'],
    ['it returned, and then the host was restarted', { returned: true, rebooted: true }, 'exited'],
    [
      'it returned while the engine went away',
      { exit: exit(0, { exitOrigin: 'engine' }), returned: true },
      'exited',
    ],
    ['it failed', { exit: exit(1) }, 'exited'],
    ['it failed while nobody watched', { exit: exit(1), unwatched: true }, 'exited'],
    ['it ended without having returned', { exit: exit(0) }, 'exited'],
    ['it ended without a result that anybody saw', { exit: exit(0), unwatched: true }, 'release'],
    ['it ended well while the engine was away', { exit: exit(0, { exitOrigin: 'engine' }) }, 'release'],
    ['it killed itself', { exit: exit(137) }, 'exited'],
    ['it used too much memory', { exit: exit(137, { oomKilled: true }) }, 'exited'],
    [
      'it used too much memory, unwatched',
      { exit: exit(137, { oomKilled: true }), unwatched: true },
      'exited',
    ],
    ['we ended it in the end', { exit: exit(137), decided: deadline, ranMs: TIMEOUT_MS }, 'deadline'],
    [
      'we killed it, a little early by its own times',
      { exit: exit(143, { exitOrigin: 'external' }), decided: deadline, ranMs: TIMEOUT_MS - 900 },
      'deadline',
    ],
    ['it failed just then', { exit: exit(1), decided: deadline, ranMs: TIMEOUT_MS + 5 }, 'deadline'],
    [
      'it failed when we ended it, early by a rounding',
      { exit: exit(1), decided: deadline, ranMs: TIMEOUT_MS - 1 },
      'deadline',
    ],
    [
      'it failed in time, seen late',
      { exit: exit(1), decided: deadline, ranMs: TIMEOUT_MS - 3_000 },
      'exited',
    ],
    ['we were killed while we ended it', { exit: exit(143), unwatched: true, ranMs: TIMEOUT_MS }, 'deadline'],
    [
      'we ended it, and by the engine’s times it had a moment left',
      { exit: exit(143, { exitOrigin: 'external' }), decided: deadline, ranMs: TIMEOUT_MS - 3_000 },
      'deadline',
    ],
    [
      'we were killed while we ended it, and by the engine’s times it had a moment left',
      { exit: exit(143, { exitOrigin: 'external' }), unwatched: true, ranMs: TIMEOUT_MS - 700 },
      'deadline',
    ],
    [
      'somebody killed it in time while nobody watched, seen late',
      { exit: exit(143, { exitOrigin: 'external' }), decided: deadline, unwatched: true },
      'release',
    ],
    ['it cannot be ended', { exit: undefined, decided: deadline, ranMs: TIMEOUT_MS }, 'deadline'],
    ['it broke a limit', { exit: exit(143), decided: { kind: 'limit', what: 'disk' } }, 'limit'],
    [
      'it broke a limit and cannot be ended',
      { exit: undefined, decided: { kind: 'limit', what: 'disk' } },
      'limit',
    ],
    ['we ended it for its owner', { exit: exit(143), decided: givenBack }, 'release'],
    ['it failed as we ended it for its owner', { exit: exit(1), decided: givenBack }, 'release'],
    ['it cannot be ended for its owner', { exit: undefined, decided: givenBack }, 'release'],
    ['it returned as we ended it', { exit: exit(0), decided: givenBack, returned: true }, 'exited'],
    ['the engine stopped and took it along', { exit: exit(143, { exitOrigin: 'engine' }) }, 'release'],
    ['it failed as the engine stopped', { exit: exit(1, { exitOrigin: 'engine' }) }, 'release'],
    [
      'the engine took it along, and came back after the deadline',
      { exit: exit(137, { exitOrigin: 'engine' }), decided: deadline },
      'release',
    ],
    ['somebody killed it by hand', { exit: exit(137, { exitOrigin: 'external' }) }, 'release'],
    [
      'somebody signalled it, and it failed of itself',
      { exit: exit(1, { exitOrigin: 'external' }) },
      'exited',
    ],
    [
      'somebody signalled it while nobody watched, and it failed',
      { exit: exit(1, { exitOrigin: 'external' }), unwatched: true },
      'release',
    ],
    [
      'an agent that ended too signalled it when its time was up, and it failed',
      { exit: exit(1, { exitOrigin: 'external' }), unwatched: true, ranMs: TIMEOUT_MS + 5 },
      'deadline',
    ],
    [
      'it failed after its time while nobody watched',
      { exit: exit(1), unwatched: true, ranMs: TIMEOUT_MS },
      'deadline',
    ],
    ['it was killed while nobody watched', { exit: exit(137), unwatched: true }, 'release'],
    ['the host was restarted', { exit: exit(255), rebooted: true, unwatched: true }, 'release'],
    ['the host was off for long', { exit: exit(137), rebooted: true, ranMs: TIMEOUT_MS * 9 }, 'release'],
  ])('%s', (_, more, expected) => {
    expect(judged(more)).toBe(expected);
  });

  test('a job that returned is never released, whoever did what around it', () => {
    const anyEnd = fc.record({
      exitOrigin: fc.constantFrom<Exit['exitOrigin']>('job', 'engine', 'external'),
      oomKilled: fc.boolean(),
      unwatched: fc.boolean(),
      rebooted: fc.boolean(),
      ranMs: fc.nat(),
      decided: fc.constantFrom(undefined, deadline, givenBack),
    });
    fc.assert(
      fc.property(anyEnd, ({ exitOrigin, oomKilled, ...more }) => {
        expect(judged({ exit: exit(0, { exitOrigin, oomKilled }), returned: true, ...more })).toBe('exited');
      }),
    );
  });
});

describe('how long a job ran', () => {
  test.each<[string, number, number, number | undefined, number]>([
    ['what the engine says', 1_000, 11_000, 10_500, 10_000],
    ['what the engine says, where nothing else is known', 1_000, 11_000, undefined, 10_000],
    ['a start that was known late', 1_000, 11_000, 3_500, 10_000],
    ['the clock was set a day forth meanwhile', 1_000, 86_411_000, 10_500, 10_500],
    ['the clock was set a day back meanwhile', 86_401_000, 11_000, 10_500, 10_500],
    ['the clock was set back, and nothing else is known', 86_401_000, 11_000, undefined, 0],
  ])('%s', (_, startedAt, finishedAt, atMostMs, expected) => {
    expect(runtimeMs(exit(0, { startedAt, finishedAt }), atMostMs)).toBe(expected);
  });

  test('a container that cannot be ended has run until now', () => {
    expect(runtimeMs(undefined, 70_000)).toBe(70_000);
  });
});
