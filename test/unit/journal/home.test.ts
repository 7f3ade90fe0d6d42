import { cpSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Copied } from '../../../src/journal/home.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { newJob, stateNamed } from '../../support/journal/samples.ts';
import { BROKER, scratchDir } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

const ENGINE = { id: 'a', dataRoot: '/data', endpoint: 'unix:///docker.sock' };

/** Opens the journal as an agent on this machine does, and answers what it knows. */
function open(
  path: string,
  machine: string | undefined,
  choices: { readonly agentMoved?: boolean; readonly use?: (journal: SqliteJournal) => void } = {},
) {
  const copies: Copied[] = [];
  const dir = openStateDir(path);
  try {
    const onCopied = (copied: Copied): void => void copies.push(copied);
    const journal = openJournal(dir, BROKER, systemClock, { machine, ...choices, onCopied });
    choices.use?.(journal);
    const known = {
      agentId: journal.agentId,
      instance: journal.instance('cpu'),
      engine: journal.engine(),
      running: journal.uuidsIn('running'),
      pending: journal.uuidsIn('finished'),
      copies,
    };
    journal.close();
    return known;
  } finally {
    dir.close();
  }
}

const toRunning = ['claimed', 'starting', 'running'] as const;

/** A state directory of machine `a` with an instance, an engine, and a job in the last of these states. */
function used(...states: readonly Parameters<typeof stateNamed>[0][]) {
  const path = join(scratchDir(), 'state');
  const known = open(path, 'a', {
    use: (journal) => {
      journal.rememberInstance('cpu', 'instance-1');
      journal.rememberEngine(ENGINE);
      journal.insert(newJob('job'));
      for (const name of states) journal.transition('job', stateNamed(name));
    },
  });
  return { path, ...known };
}

function copyOf(path: string): string {
  const copy = join(scratchDir(), 'copy');
  cpSync(path, copy, { recursive: true, preserveTimestamps: true });
  return copy;
}

test.each([
  [[]],
  [['claimed']],
  [toRunning],
  [[...toRunning, 'finished']],
  [['claimed', 'releasing']],
] as const)(
  'a copy with a job that the original may have (%j) is STATE_DIR_COPIED, also the second time',
  (states) => {
    const { agentId, path } = used(...states);
    const copy = copyOf(path);
    for (const _ of [1, 2]) {
      const error = agentErrorOf(() => open(copy, 'a'));
      expect(error.code).toBe('STATE_DIR_COPIED');
      expect(error.message).toContain(path);
      expect(error.hint).toContain('agent-moved');
    }
    expect(open(path, 'a').agentId).toBe(agentId);
  },
);

test('where the original is gone, the owner’s word lets its report be delivered', () => {
  const { agentId, path } = used(...toRunning, 'finished');
  const moved = open(copyOf(path), 'b', { agentMoved: true });
  expect(moved).toMatchObject({ agentId, instance: 'instance-1', pending: ['job'] });
});

test('on another machine it is a copy wherever it lies, and the owner can say that it is not', () => {
  const { agentId, path } = used(...toRunning);
  expect(agentErrorOf(() => open(path, 'b')).code).toBe('STATE_DIR_COPIED');
  const moved = open(path, 'b', { agentMoved: true });
  expect(moved).toMatchObject({ agentId, instance: 'instance-1', running: ['job'], engine: undefined });
  expect(open(path, 'b')).toMatchObject({ agentId, running: ['job'] });
  expect(agentErrorOf(() => open(path, 'a')).code).toBe('STATE_DIR_COPIED');
});

test('a copy without such jobs becomes another agent', () => {
  const { agentId, path } = used(...toRunning, 'finished', 'reported');
  const copy = copyOf(path);
  const first = open(copy, 'a');
  expect(first).toMatchObject({ instance: undefined, engine: undefined });
  expect(first.copies).toEqual([{ from: join(path, 'journal.db'), otherMachine: false }]);
  expect(first.agentId).not.toBe(agentId);
  expect(open(copy, 'a')).toMatchObject({ agentId: first.agentId, copies: [] });
  expect(open(copy, 'b').copies).toEqual([{ from: join(copy, 'journal.db'), otherMachine: true }]);
  expect(open(path, 'a')).toMatchObject({ agentId, instance: 'instance-1', engine: ENGINE, copies: [] });
});

test('a directory that was moved, or restored in its place, stays the same agent’s', () => {
  const { agentId, path } = used(...toRunning);
  const backup = copyOf(path);
  const elsewhere = join(scratchDir(), 'elsewhere');
  renameSync(path, elsewhere);
  expect(open(elsewhere, 'a')).toMatchObject({ agentId, running: ['job'], engine: ENGINE });
  renameSync(elsewhere, join(scratchDir(), 'lost'));
  cpSync(backup, path, { recursive: true });
  expect(open(path, 'a')).toMatchObject({ agentId, running: ['job'], engine: ENGINE });
});

test('a machine without an id is no other machine', () => {
  const { agentId, path } = used(...toRunning);
  expect(open(path, undefined).agentId).toBe(agentId);
  expect(open(path, 'b').agentId).toBe(agentId);
});
