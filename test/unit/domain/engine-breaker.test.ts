import { describe, expect, test } from 'vitest';
import {
  afterFailure,
  afterKill,
  afterSuccess,
  afterTest,
  claimRoom,
  type EngineBreaker,
  UNTESTED,
} from '../../../src/domain/engine-breaker.ts';

const CLOSED = afterTest(UNTESTED);
const NONE = { claimed: 0, started: 0 };

/** The breaker after what has happened: `A` to `Z` fails a job of that run, one of `a` to `z` is killed, `+` is a success, `t` a passed test. */
const after = (events: string, start: EngineBreaker = CLOSED): EngineBreaker => {
  let at = 0;
  return events.split('').reduce((breaker, event) => {
    at += 1_000;
    if (event === 't') return afterTest(breaker);
    if (event >= 'a') return afterKill(breaker, event, at);
    return event === '+' ? afterSuccess(breaker) : afterFailure(breaker, event, at);
  }, start);
};

test.each([
  ['', 'closed'],
  ['A', 'closed'],
  ['AB', 'closed'],
  ['ABC', 'open'],
  ['AAB', 'open'],
  // One run may be at fault itself, until it has failed once more.
  ['AAA', 'closed'],
  ['AAAA', 'open'],
  ['AB+C', 'closed'],
  ['ABCt', 'half-open'],
  ['ABCtt', 'half-open'],
  ['ABCtD', 'open'],
  ['ABCt+', 'closed'],
  ['ABCt+A', 'closed'],
  // A job may kill itself, so that it takes three runs before any job has gone well.
  ['aaaabbb', 'closed'],
  ['abc', 'open'],
  ['+abcdef', 'closed'],
  ['ab+cd', 'closed'],
  ['abct', 'half-open'],
  // Nor does one run of a stranger's keep it open.
  ['abcta', 'half-open'],
  ['abctaaab', 'half-open'],
  ['abctabc', 'open'],
  ['abct+abc', 'closed'],
  ['aBCD', 'open'],
  // What was claimed before it opened does not matter any more.
  ['ABCDE', 'open'],
  ['ABC+', 'open'],
])('after “%s” it is %s', (events, state) => {
  expect(after(events).state).toBe(state);
});

test('before any test container nothing counts', () => {
  expect(after('AAAAA+', UNTESTED)).toEqual(UNTESTED);
});

test('the pause after kills is that of a second opening, and grows by one opening at a time', () => {
  expect(after('abc').openings).toEqual([3_000, 3_000]);
  expect(after('abctdef').openings).toEqual([3_000, 3_000, 7_000]);
  const hourLater = afterKill(after('abctde'), 'f', 3_700_000);
  expect(hourLater.openings).toEqual([3_700_000, 3_700_000]);
});

test('it remembers when it opened, for an hour', () => {
  const twice = after('ABCtD');
  expect(twice.openings).toEqual([3_000, 5_000]);
  const later = afterFailure(afterTest(twice), 'E', 3_605_000);
  expect(later.openings).toEqual([3_605_000]);
});

describe('how many jobs may be claimed', () => {
  test.each([
    ['before the first test container', UNTESTED, NONE, 0],
    ['at the start', CLOSED, NONE, 1],
    ['while the first job starts', CLOSED, { claimed: 1, started: 0 }, 0],
    ['once the first job runs', CLOSED, { claimed: 1, started: 1 }, 2],
    ['while as many are not yet confirmed', CLOSED, { claimed: 3, started: 2 }, 0],
    ['after a job that went well', after('+'), { claimed: 7, started: 0 }, Number.POSITIVE_INFINITY],
    ['after a failure', after('+A'), NONE, 1],
    ['after a failure, while others run', after('A'), { claimed: 2, started: 2 }, 0],
    ['after a kill, while others run', after('a'), { claimed: 2, started: 2 }, 0],
    ['while it is open', after('ABC'), NONE, 0],
    ['while it is half-open', after('ABCt'), NONE, 1],
    ['while the job of a half-open breaker runs', after('ABCt'), { claimed: 1, started: 1 }, 0],
  ])('%s', (_, breaker, pending, room) => {
    expect(claimRoom(breaker, pending)).toBe(room);
  });
});
