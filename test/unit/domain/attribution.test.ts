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
  reason: undefined,
  timeoutMs: TIMEOUT_MS,
  ranMs: 10_000,
  pausedMs: 0,
  unwatched: false,
  rebooted: false,
  ...more,
});

/** The kind of the ending that is reported, or `release`. */
function outcomeOf(more: Partial<ExitFacts>): string {
  const attribution = attributeExit(end(more));
  return attribution.kind === 'report' ? attribution.ending.kind : attribution.kind;
}

const deadline = { kind: 'deadline' } as const;
const eviction = { kind: 'evicted', why: 'the owner wants the machine' } as const;

describe('attributes the exit of a job that', () => {
  test.each<[string, Partial<ExitFacts>, string]>([
    ['returned', { returned: true }, 'exited'],
    ['returned before the host was restarted', { returned: true, rebooted: true }, 'exited'],
    [
      'returned while the engine stopped',
      { exit: exit(0, { exitOrigin: 'engine' }), returned: true },
      'exited',
    ],
    ['failed', { exit: exit(1) }, 'exited'],
    ['failed while no agent was running', { exit: exit(1), unwatched: true }, 'exited'],
    ['exited with 0 without returning', { exit: exit(0) }, 'exited'],
    ['exited with 0 while no agent was running', { exit: exit(0), unwatched: true }, 'release'],
    ['exited with 0 as the engine stopped', { exit: exit(0, { exitOrigin: 'engine' }) }, 'release'],
    ['killed itself', { exit: exit(137) }, 'exited'],
    ['ran out of memory', { exit: exit(137, { oomKilled: true }) }, 'exited'],
    [
      'ran out of memory while no agent was running',
      { exit: exit(137, { oomKilled: true }), unwatched: true },
      'exited',
    ],
    ['was killed at its deadline', { exit: exit(137), reason: deadline, ranMs: TIMEOUT_MS }, 'deadline'],
    [
      'was killed at its deadline, slightly early by the engine’s times',
      { exit: exit(143, { exitOrigin: 'external' }), reason: deadline, ranMs: TIMEOUT_MS - 900 },
      'deadline',
    ],
    [
      'failed on the SIGTERM of its deadline',
      { exit: exit(1), reason: deadline, ranMs: TIMEOUT_MS + 5 },
      'deadline',
    ],
    [
      'failed on the SIGTERM of its deadline, 1 ms early by rounding',
      { exit: exit(1), reason: deadline, ranMs: TIMEOUT_MS - 1 },
      'deadline',
    ],
    [
      'failed before its deadline, noticed after it',
      { exit: exit(1), reason: deadline, ranMs: TIMEOUT_MS - 3_000 },
      'exited',
    ],
    [
      'was killed at its deadline by an agent that then died',
      { exit: exit(143), unwatched: true, ranMs: TIMEOUT_MS },
      'deadline',
    ],
    [
      'was killed at its deadline, seconds early by the engine’s times',
      { exit: exit(143, { exitOrigin: 'external' }), reason: deadline, ranMs: TIMEOUT_MS - 3_000 },
      'deadline',
    ],
    [
      'was killed at its deadline by an agent that then died, slightly early by the engine’s times',
      { exit: exit(143, { exitOrigin: 'external' }), unwatched: true, ranMs: TIMEOUT_MS - 700 },
      'deadline',
    ],
    [
      'was killed from outside before its deadline while no agent was running',
      { exit: exit(143, { exitOrigin: 'external' }), reason: deadline, unwatched: true },
      'release',
    ],
    [
      'cannot be killed at its deadline',
      { exit: undefined, reason: deadline, ranMs: TIMEOUT_MS },
      'deadline',
    ],
    ['exceeded a limit', { exit: exit(143), reason: { kind: 'limit', what: 'disk' } }, 'limit'],
    [
      'exceeded a limit and cannot be killed',
      { exit: undefined, reason: { kind: 'limit', what: 'disk' } },
      'limit',
    ],
    ['was evicted', { exit: exit(143), reason: eviction }, 'release'],
    ['failed while it was evicted', { exit: exit(1), reason: eviction }, 'release'],
    ['cannot be killed to evict it', { exit: undefined, reason: eviction }, 'release'],
    ['returned while it was evicted', { exit: exit(0), reason: eviction, returned: true }, 'exited'],
    ['was killed by an engine that stopped', { exit: exit(143, { exitOrigin: 'engine' }) }, 'release'],
    ['failed as the engine stopped', { exit: exit(1, { exitOrigin: 'engine' }) }, 'release'],
    [
      'was killed by an engine that stopped and came back after the deadline',
      { exit: exit(137, { exitOrigin: 'engine' }), reason: deadline },
      'release',
    ],
    ['was killed from outside', { exit: exit(137, { exitOrigin: 'external' }) }, 'release'],
    [
      'was stopped from outside and turned the signal into a failure',
      { exit: exit(1, { exitOrigin: 'external' }) },
      'release',
    ],
    [
      'turned the SIGTERM of its deadline into a failure, seconds early by the engine’s times',
      { exit: exit(1, { exitOrigin: 'external' }), reason: deadline, ranMs: TIMEOUT_MS - 3_000 },
      'deadline',
    ],
    [
      'exceeded a limit that somebody had lowered',
      { exit: exit(137, { oomKilled: true, exitOrigin: 'external' }) },
      'release',
    ],
    ['was started again by hand', { exit: exit(0, { restarted: true }), returned: true }, 'release'],
    [
      'was started again by hand and exceeded a limit',
      { exit: exit(143, { restarted: true }), reason: { kind: 'limit', what: 'disk' } },
      'release',
    ],
    [
      'was paused until its deadline',
      { exit: exit(137), reason: deadline, ranMs: TIMEOUT_MS, pausedMs: 30_000 },
      'release',
    ],
    [
      'was paused while no agent was running, until its deadline had passed',
      { exit: exit(1), unwatched: true, ranMs: TIMEOUT_MS * 2, pausedMs: TIMEOUT_MS * 1.5 },
      'release',
    ],
    [
      'was paused and cannot be killed at its deadline',
      { exit: undefined, reason: deadline, ranMs: TIMEOUT_MS, pausedMs: 30_000 },
      'release',
    ],
    [
      'was paused, got its time back and used that up',
      { exit: exit(143), reason: deadline, ranMs: TIMEOUT_MS + 8_000, pausedMs: 8_000 },
      'deadline',
    ],
    ['was paused and returned', { returned: true, pausedMs: 8_000 }, 'exited'],
    [
      'was signalled from outside and failed while no agent was running',
      { exit: exit(1, { exitOrigin: 'external' }), unwatched: true },
      'release',
    ],
    [
      'failed on the SIGTERM of its deadline from an agent that then died',
      { exit: exit(1, { exitOrigin: 'external' }), unwatched: true, ranMs: TIMEOUT_MS + 5 },
      'deadline',
    ],
    [
      'failed after its deadline while no agent was running',
      { exit: exit(1), unwatched: true, ranMs: TIMEOUT_MS },
      'deadline',
    ],
    ['was killed while no agent was running', { exit: exit(137), unwatched: true }, 'release'],
    ['ran when the host was restarted', { exit: exit(255), rebooted: true, unwatched: true }, 'release'],
    [
      'ran when the host went down for a long time',
      { exit: exit(137), rebooted: true, ranMs: TIMEOUT_MS * 9 },
      'release',
    ],
  ])('%s', (_, more, expected) => {
    expect(outcomeOf(more)).toBe(expected);
  });

  test('never releases a job that returned', () => {
    const anyEnd = fc.record({
      exitOrigin: fc.constantFrom<Exit['exitOrigin']>('job', 'engine', 'external'),
      oomKilled: fc.boolean(),
      unwatched: fc.boolean(),
      rebooted: fc.boolean(),
      ranMs: fc.nat(),
      reason: fc.constantFrom(undefined, deadline, eviction),
    });
    fc.assert(
      fc.property(anyEnd, ({ exitOrigin, oomKilled, ...more }) => {
        expect(outcomeOf({ exit: exit(0, { exitOrigin, oomKilled }), returned: true, ...more })).toBe(
          'exited',
        );
      }),
    );
  });
});

describe('whatever happened', () => {
  const anyEnd = fc.record({
    exit: fc.option(
      fc.record({
        code: fc.constantFrom(0, 1, 130, 137, 143, 255),
        oomKilled: fc.boolean(),
        startedAt: fc.constant(1_000),
        finishedAt: fc.constant(11_000),
        exitOrigin: fc.constantFrom<Exit['exitOrigin']>('job', 'engine', 'external'),
        restarted: fc.boolean(),
      }),
      { nil: undefined },
    ),
    returned: fc.boolean(),
    reason: fc.constantFrom(undefined, deadline, eviction, { kind: 'limit', what: 'disk' } as const),
    ranMs: fc.nat(TIMEOUT_MS * 3),
    pausedMs: fc.nat(TIMEOUT_MS * 3),
    unwatched: fc.boolean(),
    rebooted: fc.boolean(),
  });

  test('a container that was started again is never reported', () => {
    fc.assert(
      fc.property(anyEnd, (facts) => {
        fc.pre(facts.exit?.restarted === true);
        expect(outcomeOf(facts)).toBe('release');
      }),
    );
  });

  test('a job that was paused is a TIMEOUT only if it had its time all the same', () => {
    fc.assert(
      fc.property(anyEnd, (facts) => {
        // What this agent stops at its deadline had its time, whatever the engine's clock says.
        fc.pre(facts.pausedMs > 0 && outcomeOf(facts) === 'deadline');
        expect(facts.ranMs - facts.pausedMs).toBeGreaterThanOrEqual(TIMEOUT_MS - 3_000);
      }),
    );
  });

  test('what a client of the engine stopped is never the job’s failure, unless it exceeded a limit', () => {
    fc.assert(
      fc.property(anyEnd, (facts) => {
        fc.pre(facts.exit?.exitOrigin === 'external' && facts.reason?.kind !== 'limit');
        fc.pre(facts.exit?.code !== 0 || !facts.returned);
        expect(outcomeOf(facts)).not.toBe('exited');
      }),
    );
  });
});

describe('the run time of a job', () => {
  test.each<[string, number, number, number | undefined, number]>([
    ['is the engine’s', 1_000, 11_000, 10_500, 10_000],
    ['is the engine’s if no other is known', 1_000, 11_000, undefined, 10_000],
    ['is the engine’s if the start call was answered late', 1_000, 11_000, 3_500, 10_000],
    ['is the maximum if the clock was set a day forward', 1_000, 86_411_000, 10_500, 10_500],
    ['is the maximum if the clock was set a day back', 86_401_000, 11_000, 10_500, 10_500],
    ['is 0 if the clock was set back and no maximum is known', 86_401_000, 11_000, undefined, 0],
  ])('%s', (_, startedAt, finishedAt, maxMs, expected) => {
    expect(runtimeMs(exit(0, { startedAt, finishedAt }), maxMs)).toBe(expected);
  });

  test('is the maximum for a container that cannot be killed', () => {
    expect(runtimeMs(undefined, 70_000)).toBe(70_000);
  });
});
