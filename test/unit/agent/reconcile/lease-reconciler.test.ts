import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { AgentError, type ErrorCode } from '../../../../src/domain/errors.ts';
import type { BrokerJob, JobRecord } from '../../../../src/domain/job.ts';
import { atWork, listOf, recordOf } from '../../../support/agent/running-reconciler.ts';
import { listed } from '../../../support/domain.ts';
import { stateNamed } from '../../../support/journal/samples.ts';
import { logged } from '../../../support/log/log-into.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const RUNNING = recordOf('running', stateNamed('running'));
const FINISHED = recordOf('finished', stateNamed('finished'));

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

test('after a list that took five seconds to read there is a rest, which costs no lease', async () => {
  const heldJobs = async () => {
    await new Promise((resolve) => setTimeout(resolve, 5_000));
    return { ...listOf('job-1'), busyMs: 5_000 };
  };
  await using at = atWork([RUNNING], { heldJobs });
  await vi.advanceTimersByTimeAsync(36_000);
  expect(at.asked).toEqual([0, 35]);
  at.reconciler.lease(45);
  await vi.advanceTimersByTimeAsync(45_000);
  expect(at.asked.slice(2)).toEqual([55, 75]);
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

  test('of a job whose report is pending is renewed, also where its offer is not registered', async () => {
    await using at = atWork([FINISHED], { lease: 15, offered: [] });
    await vi.advanceTimersByTimeAsync(16_000);
    expect(at.asked).toEqual([0, 5, 10, 15]);
    expect([...at.askedOf.keys()]).toEqual(['instance-1']);
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

test('a list that is refused each time is warned of once, until one is good', async () => {
  let code: ErrorCode | undefined = 'BROKER_BAD_ANSWER';
  await using at = atWork([RUNNING], {
    heldJobs: () =>
      code === undefined ? Promise.resolve(listOf('running')) : Promise.reject(new AgentError(code, 'no')),
  });
  const levels = (): readonly unknown[] => logged(at.log, 'reconciliation-failed').map(({ level }) => level);
  await vi.advanceTimersByTimeAsync(61_000);
  expect(levels()).toEqual(['warn', 'debug', 'debug']);
  code = undefined;
  await vi.advanceTimersByTimeAsync(30_000);
  code = 'BROKER_BAD_ANSWER';
  await vi.advanceTimersByTimeAsync(30_000);
  code = 'BROKER_UNAVAILABLE';
  await vi.advanceTimersByTimeAsync(30_000);
  expect(levels().slice(3)).toEqual(['warn', 'debug']);
});

describe('a broker that fails about one job', () => {
  const refuse = (uuid: string): Promise<never> =>
    Promise.reject(new AgentError('BROKER_REFUSED', `${uuid}: no`));

  test('has the others cancelled and released all the same, and is logged once', async () => {
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
    const warned = logged(at.log, 'job-lookup-failed').filter(({ level }) => level === 'warn');
    expect(warned.map(({ job }) => job).toSorted()).toEqual(['bad', 'stuck']);
  });
});

test('a job that was open here when the broker was asked is not released by its old answer', async () => {
  const jobs = [recordOf('job', stateNamed('releasing'))];
  const released: string[] = [];
  await using at = atWork(jobs, {
    heldJobs: () => {
      // Released while the list is on its way: it may be claimed again at any moment.
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

test('an item that cannot be read stops no job and releases none, and is logged once', async () => {
  const item = { uuid: 'running', reason: 'status: not a number' };
  await using at = atWork([RUNNING], {
    heldJobs: () => Promise.resolve(listed<BrokerJob>([], { invalid: [item, { ...item, uuid: 'unknown' }] })),
  });
  await vi.advanceTimersByTimeAsync(61_000);
  expect(at.asked).toEqual([0, 30, 60]);
  expect(at.cancelled).toEqual([]);
  expect(logged(at.log, 'invalid-item')).toHaveLength(2);
  expect(logged(at.log, 'reconciliation-failed')).toEqual([]);
});
