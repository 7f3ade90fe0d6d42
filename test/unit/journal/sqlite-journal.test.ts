import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { asAgentError } from '../../../src/domain/errors.ts';
import { canTransition, type JobState } from '../../../src/domain/job.ts';
import { openJournal } from '../../../src/journal/open-journal.ts';
import type { SqliteJournal } from '../../../src/journal/sqlite-journal.ts';
import { LIMITS } from '../../../src/limits.ts';
import { openStateDir } from '../../../src/state-dir/state-dir.ts';
import { prune } from '../../support/journal/prune.ts';
import { ALL_STATES, newJob, stateNamed } from '../../support/journal/samples.ts';
import { BROKER, scratchDir, withJournal } from '../../support/journal/scratch.ts';
import { agentErrorOf } from '../../support/journal/thrown.ts';

/** A journal whose clock is `time`. */
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

test('a job keeps its fixed facts and its times', () => {
  const { journal, time } = timedJournal();
  const inserted = journal.insert(newJob('a'));
  expect(inserted).toEqual({ ...newJob('a'), state: { name: 'claiming' }, claimedAt: 1000, updatedAt: 1000 });
  expect(journal.get('a')).toEqual(inserted);
  time.now = 2000;
  const changed = journal.transition('a', { name: 'claimed' });
  expect(changed).toEqual({ ...inserted, state: { name: 'claimed' }, updatedAt: 2000 });
  expect(journal.get('a')).toEqual(changed);
  expect(journal.get('b')).toBeUndefined();
});

test('CPU jobs, unusual texts and large reports are read as they were written', () => {
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

describe('insert', () => {
  test.each(['released', 'dropped'] as const)('replaces a job that was %s, as the newest', (end) => {
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

  test('refuses a job that is unfinished', () => {
    const { journal } = timedJournal();
    const inserted = journal.insert(newJob('a'));
    expect(agentErrorOf(() => journal.insert(newJob('a'))).code).toBe('INTERNAL');
    expect(journal.get('a')).toEqual(inserted);
  });
});

test('lists jobs by state oldest first, and history newest first up to the limit', () => {
  const { journal, time } = timedJournal();
  for (const uuid of ['c', 'a', 'b']) {
    journal.insert(newJob(uuid));
    // The order is that of the claims, even if the wall clock is set back between them.
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

test('prune deletes old jobs but none with a pending report', () => {
  const { journal, time } = timedJournal();
  for (const uuid of ['old', 'new', 'pending']) journal.insert(newJob(uuid));
  journal.transition('old', stateNamed('dropped'));
  time.now = 2000;
  journal.transition('new', stateNamed('dropped'));
  expect(prune(journal, 1000)).toBe(0);
  expect(prune(journal, 2000)).toBe(1);
  expect(journal.history(10).map((job) => job.uuid)).toEqual(['pending', 'new']);
  expect(prune(journal, Number.MAX_SAFE_INTEGER)).toBe(1);
  expect(journal.history(10).map((job) => job.uuid)).toEqual(['pending']);
});

test('transition refuses a job that is not in the journal', () => {
  const { journal } = timedJournal();
  expect(agentErrorOf(() => journal.transition('a', { name: 'claimed' })).code).toBe('INTERNAL');
});

test('applies exactly the legal transitions of any sequence, also after reopening', () => {
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
          const isInsert = to.name === 'claiming';
          const legal = from === undefined ? isInsert : canTransition(from.name, to.name);
          const act = () => (isInsert ? journal.insert(newJob(uuid)) : journal.transition(uuid, to));
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

test('uuidsIn lists the jobs of some states, oldest first', () => {
  withJournal(scratchDir(), (journal) => {
    for (const uuid of ['z', 'm', 'a', 'k']) journal.insert(newJob(uuid));
    for (const uuid of ['a', 'z']) journal.transition(uuid, stateNamed('releasing'));
    journal.transition('k', stateNamed('claimed'));
    expect(journal.uuidsIn('releasing')).toEqual(['z', 'a']);
    expect(journal.uuidsIn('claiming', 'claimed')).toEqual(['m', 'k']);
    expect(journal.uuidsIn('finished')).toEqual([]);
  });
});

test('uuidsIn and instancesOf do not read reports', () => {
  const path = scratchDir();
  withJournal(path, (journal) => {
    journal.insert(newJob('a'));
    journal.transition('a', stateNamed('releasing'));
  });
  const db = new DatabaseSync(join(path, 'journal.db'));
  db.exec(`UPDATE jobs SET detail = 'not JSON'`);
  db.close();
  withJournal(path, (journal) => {
    expect(journal.uuidsIn('releasing')).toEqual(['a']);
    expect(journal.instancesOf('releasing', 'claimed')).toEqual(['instance-1']);
    expect(journal.instancesOf('claimed')).toEqual([]);
    expect(() => journal.get('a')).toThrow('journal');
  });
});

/** The code of the AgentError that `work` throws; undefined: none. */
function codeOf(work: () => unknown): string | undefined {
  try {
    work();
    return undefined;
  } catch (cause) {
    return asAgentError(cause).code;
  }
}

test('texts of others are cut: the function’s name and why a job was released', () => {
  withJournal(scratchDir(), (journal) => {
    const long = 'x'.repeat(5_000_000);
    journal.insert({ ...newJob('a'), functionName: long });
    journal.transition('a', { name: 'releasing', why: long });
    expect(JSON.stringify([journal.get('a'), journal.events('a')]).length).toBeLessThan(5_000);
  });
});

test('jobs are read one by one, newest first, of the named states', () => {
  withJournal(scratchDir(), (journal) => {
    for (const uuid of ['a', 'b', 'c']) journal.insert(newJob(uuid));
    journal.transition('b', { name: 'dropped', why: 'lost' });
    const jobs = journal.newest(10);
    expect(jobs.next().value).toMatchObject({ uuid: 'c' });
    expect(Array.from(jobs, ({ uuid }) => uuid)).toEqual(['b', 'a']);
    expect(Array.from(journal.newest(10, 'claiming'), ({ uuid }) => uuid)).toEqual(['c', 'a']);
  });
});

test('of claims that are rejected without end the oldest are deleted, with their history, and no other job', () => {
  withJournal(scratchDir(), (journal) => {
    const max = LIMITS.journal.rejectedClaims.max;
    const reject = (uuid: string): void => {
      journal.insert(newJob(uuid));
      journal.transition(uuid, { name: 'dropped', why: 'lost' });
    };
    journal.insert(newJob('won'));
    journal.transition('won', { name: 'claimed' });
    reject('again');
    reject('first');
    // A claim of the same job that goes well.
    journal.insert(newJob('again'));
    for (let n = 0; n < max; n += 1) reject(`job-${n}`);
    expect(['won', 'again', 'first', 'job-0'].map((uuid) => journal.get(uuid)?.state.name)).toEqual([
      'claimed',
      'claiming',
      undefined,
      'dropped',
    ]);
    expect(journal.events('first')).toEqual([]);
  });
}, 60_000);
