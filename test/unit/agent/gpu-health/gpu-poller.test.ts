import { expect, test } from 'vitest';
import {
  GpuPoller,
  type GpuPollerDeps,
  type GpuSnapshot,
} from '../../../../src/agent/gpu-health/gpu-poller.ts';
import { GpuTenants } from '../../../../src/agent/gpu-health/gpu-tenants.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import { VirtualTime } from '../../../support/clock/virtual-time.ts';
import { aGpu } from '../../../support/domain.ts';

const GPU = aGpu({ uuid: 'GPU-a' });
const LOST = aGpu({ uuid: 'GPU-b', fault: 'the GPU is lost' });
const REFUSAL = { why: 'the toolkit lets images out', hint: 'update it' };

/** A poller on these GPUs, and what it hands on. */
function pollerOf(more: Partial<GpuPollerDeps>) {
  const snapshots: GpuSnapshot[] = [];
  const polls = new GpuPoller({
    probe: { read: () => Promise.resolve({ gpus: [GPU, LOST], notices: [] }) },
    vulnerabilities: undefined,
    tenants: new GpuTenants(() => new Map()),
    onSnapshot: (snapshot) => void snapshots.push(snapshot),
    allAsleep: () => false,
    signal: new AbortController().signal,
    ...more,
  });
  return { polls, snapshots };
}

test('shows every GPU as faulty while known vulnerabilities refuse to offer any, its own fault first', async () => {
  const { polls } = pollerOf({ vulnerabilities: { check: () => Promise.resolve(REFUSAL) } });
  const snapshot = await polls.poll();
  expect(snapshot).toMatchObject({ gpus: [{ fault: REFUSAL.why }, { fault: LOST.fault }] });
});

test('has vulnerabilities checked also where the probe fails', async () => {
  const checked: number[] = [];
  const { polls, snapshots } = pollerOf({
    probe: { read: () => Promise.reject(new AgentError('GPU_NONE', 'none')) },
    vulnerabilities: {
      check: (gpus) => {
        checked.push(gpus.length);
        return Promise.resolve(undefined);
      },
    },
  });
  expect(await polls.poll()).toMatchObject({ error: { code: 'GPU_NONE' } });
  expect(checked).toEqual([0]);
  expect(snapshots).toHaveLength(1);
});

test('names the GPUs that no job used while the probe ran', async () => {
  const tenants = new GpuTenants(() => new Map());
  tenants.enter(GPU.uuid, 'job');
  const { polls } = pollerOf({ tenants });
  const snapshot = await polls.poll();
  expect('idle' in snapshot && [...snapshot.idle]).toEqual([LOST.uuid]);
});

test('polls every minute, and leaves GPUs asleep', async () => {
  await using time = new VirtualTime();
  let isAsleep = true;
  const { polls, snapshots } = pollerOf({ allAsleep: () => isAsleep });
  const over = new AbortController();
  const working = polls.work(over.signal);
  await time.pass(300_000);
  expect(snapshots).toEqual([]);
  isAsleep = false;
  await time.pass(150_000);
  expect(snapshots).toHaveLength(2);
  over.abort();
  await working;
});
