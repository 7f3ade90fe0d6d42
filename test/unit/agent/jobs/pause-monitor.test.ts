import { expect, test } from 'vitest';
import { PauseMonitor } from '../../../../src/agent/jobs/pause-monitor.ts';
import { JobTermination } from '../../../../src/agent/jobs/termination.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { VirtualTime } from '../../../support/clock/virtual-time.ts';

function open(leftMs: number) {
  const end = new JobTermination(new AbortController().signal);
  return { end, monitor: new PauseMonitor(end, systemClock, leftMs) };
}

test('a job that is not paused has its deadline', async () => {
  await using time = new VirtualTime();
  const { end, monitor } = open(5_000);
  monitor.see('running');
  await time.pass(4_500);
  expect(end.reason).toBeUndefined();
  await time.pass(1_000);
  expect(end.reason).toEqual({ kind: 'deadline' });
});

test('a short pause gives its time back', async () => {
  await using time = new VirtualTime();
  const { end, monitor } = open(5_000);
  monitor.see('paused');
  await time.pass(6_000);
  monitor.see('running');
  await time.pass(4_000);
  expect(end.reason).toBeUndefined();
  expect(monitor.pausedMs).toBeGreaterThanOrEqual(6_000);
  await time.pass(2_000);
  expect(end.reason).toEqual({ kind: 'deadline' });
});

test('a long pause evicts the job, and so do many short ones', async () => {
  await using time = new VirtualTime();
  const long = open(60_000);
  long.monitor.see('paused');
  const short = open(60_000);
  for (const _pause of [1, 2, 3, 4]) {
    short.monitor.see('paused');
    await time.pass(3_000);
    short.monitor.see('running');
    await time.pass(500);
  }
  expect(long.end.reason).toMatchObject({ kind: 'evicted' });
  expect(short.end.reason).toMatchObject({ kind: 'evicted' });
});

test('a container that was started again evicts the job', () => {
  const { end, monitor } = open(60_000);
  monitor.see('restarted');
  expect(end.reason).toMatchObject({ kind: 'evicted' });
  monitor[Symbol.dispose]();
  end[Symbol.dispose]();
});
