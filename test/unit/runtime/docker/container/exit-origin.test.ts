import { expect, test } from 'vitest';
import { type EngineMemory, exitOrigin } from '../../../../../src/runtime/docker/container/exit-origin.ts';

type Case = {
  readonly code: number;
  readonly oom?: boolean;
  readonly away?: boolean;
  readonly keeps?: boolean;
  /** Whether it was there at the first look. */
  readonly first?: boolean;
  /** What the engine knows of it. */
  readonly saw?: EngineMemory | undefined;
};

test.each<[string, Case, string]>([
  ['an exit code of its own', { code: 1 }, 'job'],
  ['a kill of its own', { code: 137 }, 'job'],
  ['a kill by call', { code: 137, saw: 'kill and end' }, 'external'],
  ['a failure after a signal by call', { code: 1, saw: 'kill and end' }, 'job'],
  ['too much memory', { code: 137, oom: true, saw: 'kill and end' }, 'job'],
  ['an engine that stopped', { code: 143, away: true }, 'engine'],
  ['a failure because the engine stopped', { code: 1, away: true, saw: 'nothing' }, 'engine'],
  [
    'a failure because the engine ended it when it was back',
    { code: 1, away: true, saw: 'kill and end' },
    'engine',
  ],
  ['a failure that the engine saw although it seemed away', { code: 1, away: true }, 'job'],
  ['success whose result the engine may have lost', { code: 0, away: true, keeps: true }, 'engine'],
  ['a kill that the engine knows nothing of', { code: 137, saw: 'nothing' }, 'engine'],
  [
    'a failure while an engine was away that keeps its containers',
    { code: 1, away: true, keeps: true },
    'job',
  ],
  [
    'a kill while an engine was away that keeps its containers',
    { code: 137, away: true, keeps: true },
    'engine',
  ],
  ['a failure at the first look', { code: 1, first: true }, 'job'],
  ['a failure at the first look, after a signal', { code: 1, first: true, saw: 'kill and end' }, 'external'],
  [
    'a failure at the first look of which the engine knows nothing',
    { code: 1, first: true, saw: 'nothing' },
    'engine',
  ],
  ['a failure that the engine has forgotten', { code: 1, first: true, saw: 'forgot' }, 'job'],
  ['a kill that the engine has forgotten', { code: 137, first: true, saw: 'forgot' }, 'engine'],
  ['a failure of which the engine does not tell', { code: 1, first: true, saw: undefined }, 'job'],
  ['a kill of which the engine does not tell', { code: 137, saw: undefined }, 'engine'],
  ['success at the first look', { code: 0, first: true, saw: 'nothing' }, 'job'],
  [
    'a failure at the first look at an engine that keeps its containers',
    { code: 1, first: true, keeps: true, saw: 'nothing' },
    'job',
  ],
])('%s', async (_, how, expected) => {
  const { away = false, code, first = false, keeps = false, oom = false } = how;
  const exit = { code, oomKilled: oom, startedAt: 0, finishedAt: 1 };
  const seen = { exit, engineWasAway: away, unwaited: first };
  const memory = async () => ('saw' in how ? how.saw : 'end');
  expect(await exitOrigin(seen, { liveRestore: async () => keeps, memory })).toBe(expected);
});
