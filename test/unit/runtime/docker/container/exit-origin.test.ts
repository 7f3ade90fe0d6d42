import { expect, test } from 'vitest';
import { exitOrigin } from '../../../../../src/runtime/docker/container/exit-origin.ts';
import type { ExitRecord } from '../../../../../src/runtime/docker/container/history.ts';

type Case = {
  readonly code: number;
  readonly oom?: boolean;
  readonly unreachable?: boolean;
  readonly liveRestore?: boolean;
  readonly alreadyExited?: boolean;
  readonly updated?: boolean;
  /** By default `exited`. */
  readonly record?: ExitRecord | undefined;
};

test.each<[string, Case, string]>([
  ['a failure', { code: 1 }, 'job'],
  ['a kill from inside', { code: 137 }, 'job'],
  ['a kill through the engine', { code: 137, record: 'killed' }, 'external'],
  ['a failure after a signal through the engine', { code: 1, record: 'killed' }, 'external'],
  ['a watched failure without a record', { code: 1, record: 'missing' }, 'job'],
  ['an out-of-memory kill', { code: 137, oom: true, record: 'killed' }, 'job'],
  [
    'an out-of-memory kill after somebody changed its limits',
    { code: 137, oom: true, updated: true },
    'external',
  ],
  ['a kill while the engine was unreachable', { code: 143, unreachable: true }, 'engine'],
  [
    'a failure without a record, engine unreachable',
    { code: 1, unreachable: true, record: 'missing' },
    'engine',
  ],
  ['a failure after a kill, engine unreachable', { code: 1, unreachable: true, record: 'killed' }, 'engine'],
  ['a failure with a record, engine unreachable', { code: 1, unreachable: true }, 'job'],
  ['success whose result may be lost', { code: 0, unreachable: true, liveRestore: true }, 'engine'],
  ['a kill without a record', { code: 137, record: 'missing' }, 'engine'],
  [
    'a failure under live-restore, engine unreachable',
    { code: 1, unreachable: true, liveRestore: true },
    'job',
  ],
  [
    'a kill under live-restore, engine unreachable',
    { code: 137, unreachable: true, liveRestore: true },
    'engine',
  ],
  ['an earlier failure', { code: 1, alreadyExited: true }, 'job'],
  ['an earlier failure after a kill', { code: 1, alreadyExited: true, record: 'killed' }, 'external'],
  ['an earlier failure without a record', { code: 1, alreadyExited: true, record: 'missing' }, 'engine'],
  ['an earlier failure with an expired record', { code: 1, alreadyExited: true, record: 'expired' }, 'job'],
  ['an earlier kill with an expired record', { code: 137, alreadyExited: true, record: 'expired' }, 'engine'],
  ['an earlier failure without access to events', { code: 1, alreadyExited: true, record: undefined }, 'job'],
  ['a kill without access to events', { code: 137, record: undefined }, 'engine'],
  ['an earlier success', { code: 0, alreadyExited: true, record: 'missing' }, 'job'],
  [
    'an earlier failure after a kill, under live-restore',
    { code: 1, alreadyExited: true, liveRestore: true, record: 'killed' },
    'external',
  ],
  [
    'an earlier failure under live-restore',
    { code: 1, alreadyExited: true, liveRestore: true, record: 'missing' },
    'job',
  ],
])('attributes %s', async (_, how, expected) => {
  const { alreadyExited = false, code, liveRestore = false, oom = false, unreachable = false } = how;
  const exit = { code, oomKilled: oom, startedAt: 0, finishedAt: 1 };
  const seen = { restarted: false, wasPaused: false };
  const observed = { exit, engineWasUnreachable: unreachable, alreadyExited, ...seen };
  const record = 'record' in how ? how.record : 'exited';
  const known = record === undefined ? undefined : { exit: record, updated: how.updated === true };
  const evidence = { liveRestore: async () => liveRestore, history: async () => known };
  expect(await exitOrigin(observed, evidence)).toBe(expected);
});
