import { expect, test } from 'vitest';
import { summaryOf } from '../../../../../src/runtime/docker/container/history.ts';

type Event = readonly [action: string, at?: number];

test.each<[string, readonly Event[], object]>([
  ['nothing', [], { exit: undefined, restarted: false, pausedMs: 0, updated: false }],
  [
    'an exit',
    [
      ['start', 0],
      ['die', 9],
    ],
    { exit: 'exited', restarted: false },
  ],
  [
    'a kill',
    [
      ['start', 0],
      ['kill', 8],
      ['die', 9],
    ],
    { exit: 'killed' },
  ],
  [
    'a signal long before',
    [
      ['start', 0],
      ['kill', 8],
      ['die', 90_000],
    ],
    { exit: 'exited' },
  ],
  ['a kill without times', [['kill'], ['die']], { exit: 'killed' }],
  [
    'a restart',
    [
      ['start', 0],
      ['kill', 1],
      ['die', 2],
      ['start', 3],
      ['die', 9],
    ],
    { restarted: true },
  ],
  [
    'pauses',
    [
      ['pause', 1_000],
      ['unpause', 3_000],
      ['pause', 4_000],
      ['die', 9_000],
    ],
    { pausedMs: 7_000 },
  ],
  ['a pause without times', [['pause'], ['unpause'], ['die']], { pausedMs: 0 }],
  [
    'other limits',
    [
      ['update', 1],
      ['die', 2],
    ],
    { updated: true },
  ],
])('a past with %s', (_, events, expected) => {
  const past = events.map(([action, at]) => ({ action, at }));
  expect(summaryOf(past, 9)).toMatchObject(expected);
});
