import { expect, test } from 'vitest';
import { endedBy } from '../../../src/runtime/docker/ended-by.ts';

type Case = {
  readonly code: number;
  readonly oom?: boolean;
  readonly away?: boolean;
  readonly keeps?: boolean;
  readonly killed?: boolean;
  readonly forgotten?: boolean;
};

test.each<[string, Case, string]>([
  ['an exit code of its own', { code: 1 }, 'itself'],
  ['a kill of its own', { code: 137 }, 'itself'],
  ['a kill by call', { code: 137, killed: true }, 'other'],
  ['a failure after a signal by call', { code: 1, killed: true }, 'itself'],
  ['too much memory', { code: 137, oom: true, killed: true }, 'itself'],
  ['an engine that stopped', { code: 143, away: true }, 'engine'],
  ['a failure because the engine stopped', { code: 1, away: true, forgotten: true }, 'engine'],
  ['a failure because the engine ended it when it was back', { code: 1, away: true, killed: true }, 'engine'],
  ['a failure that the engine saw although it seemed away', { code: 1, away: true }, 'itself'],
  ['success whose result the engine may have lost', { code: 0, away: true, keeps: true }, 'engine'],
  ['a kill that the engine knows nothing of', { code: 137, forgotten: true }, 'engine'],
  [
    'a failure while an engine was away that keeps its containers',
    { code: 1, away: true, keeps: true },
    'itself',
  ],
  [
    'a kill while an engine was away that keeps its containers',
    { code: 137, away: true, keeps: true },
    'engine',
  ],
])('%s', async (_, how, expected) => {
  const { away = false, code, forgotten = false, keeps = false, killed = false, oom = false } = how;
  const exit = { code, oomKilled: oom, startedAt: 0, finishedAt: 1 };
  const seen = { exit, engineWasAway: away };
  const memory = async () => ({ sawEnd: !forgotten, toldToKill: killed });
  expect(await endedBy(seen, async () => keeps, memory)).toBe(expected);
});
