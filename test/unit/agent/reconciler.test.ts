import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Reconciler } from '../../../src/agent/reconciler.ts';
import type { JobRecord, JobStateName } from '../../../src/domain/job.ts';
import { aNewJob } from '../../support/domain.ts';
import { logInto } from '../../support/log/log-into.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const RUNNING: JobRecord = {
  ...aNewJob(),
  claimedAt: 0,
  updatedAt: 0,
  state: { name: 'running', container: 'c', startedAt: 0, since: { boot: 'b', upMs: 0 } },
};

/** A reconciler at work, of an offer and the jobs that are open here, and when it asked, in seconds. */
function atWork(open: JobRecord[]) {
  const began = Date.now();
  const asked: number[] = [];
  const end = new AbortController();
  const reconciler = new Reconciler({
    broker: {
      heldJobs: () => {
        asked.push((Date.now() - began) / 1000);
        return Promise.resolve([]);
      },
      job: () => Promise.reject(new Error('not asked for')),
      release: () => Promise.reject(new Error('not asked for')),
    },
    journal: {
      get: () => undefined,
      // What is open is only counted here: it is not compared.
      inState: () => [],
      uuidsIn: (...names: readonly JobStateName[]) =>
        open.filter(({ state }) => names.includes(state.name)).map(({ uuid }) => uuid),
    },
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    log: logInto([]),
    random: () => 1,
    cancel: () => undefined,
  });
  const working = reconciler.work(() => ['instance-1'], end.signal);
  return {
    reconciler,
    asked,
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
