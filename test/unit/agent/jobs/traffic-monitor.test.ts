import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { JobTermination } from '../../../../src/agent/jobs/termination.ts';
import { TrafficMonitor } from '../../../../src/agent/jobs/traffic-monitor.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { ContainerNetworkUse, NetworkUse, Traffic } from '../../../../src/domain/network-use.ts';
import { logInto } from '../../../support/log/log-into.ts';

beforeEach(() => vi.useFakeTimers({ now: 1_000_000 }));
afterEach(() => vi.useRealTimers());

const ADDRESS = '172.18.0.2';
const JOB = { job: 'job-1', container: 'container-1', startedAt: 999_000 };

/** A job that has sent what the test says, in no real time. */
function counting(limit?: number, refuse?: () => AgentError) {
  let use: ContainerNetworkUse | undefined;
  const written: NetworkUse[] = [];
  const said: string[] = [];
  const monitor = new TrafficMonitor({
    runtime: { networkUse: () => Promise.resolve(use) },
    journal: {
      recordNetworkUse: (next) => {
        if (refuse !== undefined) throw refuse();
        written.push(next);
      },
    },
    clock: { now: () => Date.now(), monotonic: () => Date.now() },
    log: logInto(said),
    trafficLimitBytes: limit,
  });
  const end = new JobTermination(new AbortController().signal);
  return {
    written,
    said,
    end,
    begin: () => monitor.watch(JOB, end),
    has: (traffic: Traffic | null): void => void (use = { address: ADDRESS, traffic }),
    seconds: async (count: number): Promise<void> => void (await vi.advanceTimersByTimeAsync(count * 1_000)),
  };
}

const bytes = (sentBytes: number, receivedBytes = 0): Traffic => ({ sentBytes, receivedBytes });

test('the address of a job is in the journal with the first reading, and its last count at its end', async () => {
  const at = counting();
  at.has(bytes(10));
  const job = at.begin();
  await at.seconds(0);
  const first = { ...JOB, address: ADDRESS, endedAt: null, traffic: bytes(10) };
  expect(at.written).toEqual([first]);
  at.has(bytes(20, 7));
  await job.end();
  expect(at.written).toEqual([first, { ...first, endedAt: 1_000_000, traffic: bytes(20, 7) }]);
  await at.seconds(60);
  expect(at.written).toHaveLength(2);
});

test('what has changed is written every half minute, so that a crash loses little', async () => {
  const at = counting();
  at.has(bytes(1));
  using _job = at.begin();
  await at.seconds(1);
  at.has(bytes(2));
  await at.seconds(20);
  expect(at.written).toHaveLength(1);
  await at.seconds(15);
  expect(at.written.map(({ traffic }) => traffic?.sentBytes)).toEqual([1, 2]);
  await at.seconds(120);
  expect(at.written).toHaveLength(2);
});

test('a job whose agent ends is not over: the last reading is written without an end', async () => {
  const at = counting();
  at.has(bytes(1));
  const job = at.begin();
  await at.seconds(1);
  at.has(bytes(2));
  await at.seconds(1);
  job[Symbol.dispose]();
  expect(at.written.at(-1)).toMatchObject({ endedAt: null, traffic: bytes(2) });
});

test('a job that sends and receives more than it may ends through its own fault', async () => {
  const at = counting(1_000);
  at.has(bytes(600, 400));
  using _job = at.begin();
  await at.seconds(2);
  expect(at.end.reason).toBeUndefined();
  at.has(bytes(600, 401));
  await at.seconds(1);
  expect(at.end.reason).toEqual({ kind: 'limit', what: 'it sent and received more than 1000 bytes' });
});

test('a limit that cannot be enforced is logged once', async () => {
  const at = counting(1_000);
  at.has(null);
  using _job = at.begin();
  await at.seconds(60);
  expect(at.said.filter((line) => line.includes('job-traffic-unknown'))).toHaveLength(1);
  expect(at.end.reason).toBeUndefined();
});

test('a reading that fails later does not undo what is known', async () => {
  const at = counting();
  at.has(bytes(5));
  const job = at.begin();
  await at.seconds(1);
  at.has(null);
  await at.seconds(1);
  await job.end();
  expect(at.written.at(-1)).toMatchObject({ address: ADDRESS, traffic: bytes(5) });
});

test('a disk that refuses the count fails no job, and is logged once', async () => {
  const at = counting(undefined, () => new AgentError('STATE_DIR_UNUSABLE', 'full'));
  at.has(bytes(5));
  const job = at.begin();
  await at.seconds(90);
  await job.end();
  expect(at.said.filter((line) => line.includes('job-traffic-not-written'))).toHaveLength(1);
});
