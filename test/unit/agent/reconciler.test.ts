import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Reconciler, type ReconcilerDeps } from '../../../src/agent/reconciler.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import { type BrokerJob, JOB_STATUS, type JobRecord, type JobState } from '../../../src/domain/job.ts';
import type { JobList } from '../../../src/domain/ports.ts';
import { aNewJob } from '../../support/domain.ts';
import { stateNamed } from '../../support/journal/samples.ts';
import { logInto } from '../../support/log/log-into.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const recordOf = (uuid: string, state: JobState): JobRecord => ({
  ...aNewJob(),
  uuid,
  instance: 'instance-1',
  claimedAt: 0,
  updatedAt: 0,
  state,
});
const RUNNING = recordOf('running', stateNamed('running'));
const FINISHED = recordOf('finished', stateNamed('finished'));

/** A job as the broker has it. */
const theirs = (uuid: string, more: Partial<BrokerJob> = {}): BrokerJob => ({
  uuid,
  run: 'run-1',
  functionName: 'hello',
  arguments: '()',
  status: JOB_STATUS.IN_PROGRESS,
  instance: 'instance-1',
  leaseSeconds: undefined,
  cost: undefined,
  ...more,
});

/** What the broker thinks is here. */
const listOf = (...uuids: string[]): JobList => ({ jobs: uuids.map((uuid) => theirs(uuid)), invalid: [] });

type Scene = Partial<ReconcilerDeps['broker']> & { readonly lease?: number; readonly offered?: string[] };

/**
 * A reconciler at work, of an offer and the jobs that are open here, and when it asked, in seconds. `jobs` is the
 * journal, which may change meanwhile; a broker that is not told otherwise thinks that nothing is here.
 */
function atWork(jobs: JobRecord[], scene: Scene = {}) {
  const began = Date.now();
  const asked: number[] = [];
  const askedOf = new Set<string>();
  const cancelled: string[] = [];
  const log: string[] = [];
  const written: number[] = [];
  const end = new AbortController();
  const named = (names: readonly string[]): JobRecord[] =>
    jobs.filter(({ state }) => names.includes(state.name));
  const unasked = (): Promise<never> => Promise.reject(new Error('not asked for'));
  const reconciler = new Reconciler({
    broker: {
      heldJobs: (instance, signal) => {
        asked.push((Date.now() - began) / 1000);
        askedOf.add(instance);
        return (
          scene.heldJobs?.(instance, signal) ??
          Promise.resolve(listOf(...named(['running']).map(({ uuid }) => uuid)))
        );
      },
      job: scene.job ?? unasked,
      release: scene.release ?? unasked,
    },
    journal: {
      get: (uuid) => jobs.find((job) => job.uuid === uuid),
      inState: (...names) => named(names),
      uuidsIn: (...names) => named(names).map(({ uuid }) => uuid),
      instancesOf: (...names) => [...new Set(named(names).map(({ instance }) => instance))],
      leaseSeconds: () => scene.lease,
      rememberLease: (seconds) => void written.push(seconds),
    },
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    log: logInto(log),
    random: () => 1,
    cancel: (job) => void cancelled.push(job),
  });
  const working = reconciler.work(() => scene.offered ?? ['instance-1'], end.signal);
  return {
    reconciler,
    asked,
    askedOf,
    cancelled,
    log,
    written,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await working;
    },
  };
}

test('while no job is open here, the broker is asked every two minutes', async () => {
  await using at = atWork([]);
  await vi.advanceTimersByTimeAsync(361_000);
  expect(at.asked).toEqual([0, 120, 240, 360]);
});

test('while a job is, every thirty seconds, or three times in its lease', async () => {
  await using at = atWork([RUNNING]);
  await vi.advanceTimersByTimeAsync(61_000);
  expect(at.asked).toEqual([0, 30, 60]);
  at.reconciler.lease(9);
  await vi.advanceTimersByTimeAsync(6_000);
  expect(at.asked).toEqual([0, 30, 60, 63, 66]);
});

test('a job that is claimed in between is not left alone for the rest of the two minutes', async () => {
  const open: JobRecord[] = [];
  await using at = atWork(open);
  await vi.advanceTimersByTimeAsync(50_000);
  open.push(RUNNING);
  at.reconciler.lease(undefined);
  await vi.advanceTimersByTimeAsync(31_000);
  // Thirty seconds since the last time are long over.
  expect(at.asked).toEqual([0, 50, 80]);
});

test('an offer that comes up is not waited with', async () => {
  await using at = atWork([]);
  await vi.advanceTimersByTimeAsync(10_000);
  at.reconciler.now();
  await vi.advanceTimersByTimeAsync(1_000);
  expect(at.asked).toEqual([0, 10]);
});

describe('a lease', () => {
  test('is known again after a restart, while jobs from before are open', async () => {
    await using at = atWork([RUNNING], { lease: 15 });
    await vi.advanceTimersByTimeAsync(16_000);
    expect(at.asked).toEqual([0, 5, 10, 15]);
  });

  test('of jobs that are long over counts no more', async () => {
    await using at = atWork([], { lease: 15 });
    await vi.advanceTimersByTimeAsync(119_000);
    expect(at.asked).toEqual([0]);
  });

  test('is written down once, the shortest', async () => {
    await using at = atWork([RUNNING]);
    for (const seconds of [60, undefined, 15, 15, 30]) at.reconciler.lease(seconds);
    expect(at.written).toEqual([60, 15]);
  });

  test('of a job whose report is owed is renewed, also where its offer is not up', async () => {
    await using at = atWork([FINISHED], { lease: 15, offered: [] });
    await vi.advanceTimersByTimeAsync(16_000);
    expect(at.asked).toEqual([0, 5, 10, 15]);
    expect([...at.askedOf]).toEqual(['instance-1']);
    expect(at.cancelled).toEqual([]);
  });

  test('that is short gives a slow broker ten seconds, and the time that it took counts', async () => {
    const heldJobs = (_: string, signal: AbortSignal): Promise<never> =>
      new Promise((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('too late'))),
      );
    await using at = atWork([RUNNING], { lease: 3, heldJobs });
    await vi.advanceTimersByTimeAsync(12_500);
    expect(at.asked).toEqual([0, 11]);
  });
});

describe('a broker that fails about one job', () => {
  const refuse = (uuid: string): Promise<never> =>
    Promise.reject(new AgentError('BROKER_REFUSED', `${uuid}: no`));

  test('has the others cancelled and released all the same, and is told of once', async () => {
    const jobs = ['bad', 'gone'].map((uuid) => recordOf(uuid, stateNamed('running')));
    const released: string[] = [];
    await using at = atWork(jobs, {
      heldJobs: () => Promise.resolve(listOf('stuck', 'lost')),
      job: (uuid) => (uuid === 'bad' ? refuse(uuid) : Promise.resolve(undefined)),
      release: (uuid) => {
        if (uuid === 'stuck') return refuse(uuid);
        released.push(uuid);
        return Promise.resolve({ kind: 'taken', cost: undefined });
      },
    });
    await vi.advanceTimersByTimeAsync(1_000);
    expect(at.cancelled).toEqual(['gone']);
    expect(released).toEqual(['lost']);
    await vi.advanceTimersByTimeAsync(300_000);
    const told = at.log.filter((line) => line.includes('"level":"warn"') && line.includes('not reconciled'));
    expect(told.map((line) => /"job":"(\w+)"/.exec(line)?.[1]).toSorted()).toEqual(['bad', 'stuck']);
  });
});

test('a job that was open here when the broker was asked is not released by its old answer', async () => {
  const jobs = [recordOf('job', stateNamed('releasing'))];
  const released: string[] = [];
  await using at = atWork(jobs, {
    heldJobs: () => {
      // Given back while the list is on its way: it may be claimed again at any moment.
      jobs[0] = recordOf('job', stateNamed('released'));
      return Promise.resolve(listOf('job'));
    },
    release: (uuid) => {
      released.push(uuid);
      return Promise.resolve({ kind: 'taken', cost: undefined });
    },
  });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(released).toEqual([]);
  // The next answer is from after that.
  await vi.advanceTimersByTimeAsync(120_000);
  expect(at.asked).toEqual([0, 120]);
  expect(released).toEqual(['job']);
});

test('an item that cannot be read stops no job and releases none, and is told once', async () => {
  const item = { uuid: 'running', reason: 'status: not a number' };
  await using at = atWork([RUNNING], {
    heldJobs: () => Promise.resolve({ jobs: [], invalid: [item, { ...item, uuid: 'unknown' }] }),
  });
  await vi.advanceTimersByTimeAsync(61_000);
  expect(at.asked).toEqual([0, 30, 60]);
  expect(at.cancelled).toEqual([]);
  expect(at.log.filter((line) => line.includes('job left alone'))).toHaveLength(2);
  expect(at.log.join('')).not.toContain('not reconciled');
});
