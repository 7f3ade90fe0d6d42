import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asAgentError } from '../../../src/domain/errors.ts';
import { canTransition, type JobState } from '../../../src/domain/job.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { ALL_STATES, newJob, stateNamed } from '../../support/journal/samples.ts';
import { BROKER, scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

/** A journal whose clock says what `time` holds. */
function timedJournal(): { journal: SqliteJournal; time: { now: number } } {
  const time = { now: 1000 };
  const dir = openStateDir(scratchDir());
  const journal = openJournal(dir, BROKER, { now: () => time.now, monotonic: () => time.now });
  onTestFinished(() => {
    journal.close();
    dir.close();
  });
  return { journal, time };
}

test('a job keeps what is fixed about it, and its times', () => {
  const { journal, time } = timedJournal();
  const begun = journal.insert(newJob('a'));
  expect(begun).toEqual({ ...newJob('a'), state: { name: 'claiming' }, claimedAt: 1000, updatedAt: 1000 });
  expect(journal.get('a')).toEqual(begun);
  time.now = 2000;
  const moved = journal.transition('a', { name: 'claimed' });
  expect(moved).toEqual({ ...begun, state: { name: 'claimed' }, updatedAt: 2000 });
  expect(journal.get('a')).toEqual(moved);
  expect(journal.get('b')).toBeUndefined();
});

test('CPU jobs, odd texts and big reports come back as they were written', () => {
  const { journal } = timedJournal();
  const job = { ...newJob('ünïcode\0"\'--'), gpu: null, functionName: '🙂\n\u001b[31m\0end', askPrice: 1e-9 };
  journal.insert(job);
  for (const name of ['claimed', 'starting', 'running'] as const)
    journal.transition(job.uuid, stateNamed(name));
  const text = `${'x'.repeat(1 << 20)}\0\ud800🙂`;
  const state: JobState = {
    name: 'finished',
    report: { status: 5, buildLogs: text, stdout: text, stderr: '', result: text },
    durationMs: 12.5,
  };
  journal.transition(job.uuid, state);
  expect(journal.get(job.uuid)).toMatchObject({ ...job, state });
});

describe('beginning', () => {
  test.each(['released', 'dropped'] as const)('a job that was %s begins anew, as the newest', (end) => {
    const { journal, time } = timedJournal();
    journal.insert(newJob('a'));
    journal.insert(newJob('b'));
    if (end === 'released') journal.transition('a', stateNamed('releasing'));
    journal.transition('a', stateNamed(end));
    time.now = 3000;
    journal.insert({ ...newJob('a'), slot: 'slot-2' });
    expect(journal.get('a')).toMatchObject({ slot: 'slot-2', claimedAt: 3000, state: { name: 'claiming' } });
    expect(journal.history(10).map((job) => job.uuid)).toEqual(['a', 'b']);
  });

  test('a job that is not over cannot begin anew', () => {
    const { journal } = timedJournal();
    const begun = journal.insert(newJob('a'));
    expect(agentErrorOf(() => journal.insert(newJob('a'))).code).toBe('INTERNAL');
    expect(journal.get('a')).toEqual(begun);
  });
});

test('lists: by state oldest first, history newest first, as far as asked', () => {
  const { journal, time } = timedJournal();
  for (const uuid of ['c', 'a', 'b']) {
    journal.insert(newJob(uuid));
    // The order is that of the claims, also where the wall clock was set back between them.
    time.now -= 100;
  }
  journal.transition('a', { name: 'claimed' });
  const uuids = (jobs: readonly { readonly uuid: string }[]) => jobs.map((job) => job.uuid);
  expect(uuids(journal.inState('claiming'))).toEqual(['c', 'b']);
  expect(uuids(journal.inState('claiming', 'claimed', 'running'))).toEqual(['c', 'a', 'b']);
  expect(journal.inState('running')).toEqual([]);
  expect(journal.inState()).toEqual([]);
  expect(uuids(journal.history(2))).toEqual(['b', 'a']);
});

test('prune forgets what ended long ago and nothing that is still owed', () => {
  const { journal, time } = timedJournal();
  for (const uuid of ['old', 'new', 'owed']) journal.insert(newJob(uuid));
  journal.transition('old', stateNamed('dropped'));
  time.now = 2000;
  journal.transition('new', stateNamed('dropped'));
  expect(journal.prune(1000)).toBe(0);
  expect(journal.prune(2000)).toBe(1);
  expect(journal.history(10).map((job) => job.uuid)).toEqual(['owed', 'new']);
  expect(journal.prune(Number.MAX_SAFE_INTEGER)).toBe(1);
  expect(journal.history(10).map((job) => job.uuid)).toEqual(['owed']);
});

test('moving a job that is not here is refused', () => {
  const { journal } = timedJournal();
  expect(agentErrorOf(() => journal.transition('a', { name: 'claimed' })).code).toBe('INTERNAL');
});

test('any sequence of moves leaves each job where the legal ones of them lead, also after it is opened again', () => {
  const path = scratchDir();
  const steps = fc.array(
    fc.record({ job: fc.constantFrom('a', 'b', 'c'), to: fc.constantFrom(...ALL_STATES) }),
  );
  let round = 0;
  fc.assert(
    fc.property(steps, (sequence) => {
      round += 1;
      const model = new Map<string, JobState>();
      const expected = () => [...model].map(([uuid, state]) => ({ ...newJob(uuid), state }));
      withJournal(path, (journal) => {
        for (const { job, to } of sequence) {
          const uuid = `${job}-${round}`;
          const from = model.get(uuid);
          const isBeginning = to.name === 'claiming';
          const legal = from === undefined ? isBeginning : canTransition(from.name, to.name);
          const act = () => (isBeginning ? journal.insert(newJob(uuid)) : journal.transition(uuid, to));
          expect(codeOf(act)).toBe(legal ? undefined : 'INTERNAL');
          if (legal) model.set(uuid, to);
        }
      });
      withJournal(path, (journal) => {
        for (const job of expected()) expect(journal.get(job.uuid)).toMatchObject(job);
        expect(journal.history(1000).filter((job) => job.uuid.endsWith(`-${round}`))).toHaveLength(
          model.size,
        );
      });
    }),
    { numRuns: 40 },
  );
});

/** The code of the AgentError that `work` throws; undefined where it does its work. */
function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (cause) {
    return asAgentError(cause).code;
  }
}
