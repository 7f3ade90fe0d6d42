import { expect, test } from 'vitest';
import { endedBy } from '../../../src/runtime/docker/ended-by.ts';

type Case = {
  readonly code: number;
  readonly oom?: boolean;
  readonly away?: boolean;
  readonly keeps?: boolean;
  readonly killed?: boolean;
};

test.each<[string, Case, string]>([
  ['an exit code of its own', { code: 1 }, 'itself'],
  ['a kill of its own', { code: 137 }, 'itself'],
  ['a kill by call', { code: 137, killed: true }, 'other'],
  ['a failure after a signal by call', { code: 1, killed: true }, 'itself'],
  ['too much memory', { code: 137, oom: true, killed: true }, 'itself'],
  ['an engine that stopped', { code: 143, away: true }, 'engine'],
  ['a failure because the engine stopped', { code: 1, away: true }, 'engine'],
  ['success while the engine was away', { code: 0, away: true }, 'itself'],
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
])('%s', async (_, { away = false, code, keeps = false, killed = false, oom = false }, expected) => {
  const exit = { code, oomKilled: oom, startedAt: 0, finishedAt: 1 };
  const seen = { exit, engineWasAway: away };
  expect(
    await endedBy(
      seen,
      async () => keeps,
      async () => killed,
    ),
  ).toBe(expected);
});
