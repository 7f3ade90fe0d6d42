import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { cpuOffer, TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { aGpu } from '../../support/domain.ts';

const GPU = aGpu();

test.each<[string, string | null, boolean, number, number]>([
  [
    'on a GPU that a reload of systemd may have taken is released',
    GPU.uuid,
    true,
    60_000,
    JOB_STATUS.CREATED,
  ],
  ['on a GPU given by CDI has failed', GPU.uuid, false, 60_000, JOB_STATUS.FAILED],
  ['without a GPU has failed', null, true, 60_000, JOB_STATUS.FAILED],
  ['that started after the reload has failed', GPU.uuid, true, -60_000, JOB_STATUS.FAILED],
])('a job that fails %s', async (_, gpu, mayLoseGpu, reloadedInMs, status) => {
  await using env = await TestEnv.open();
  env.addRun('function handler() { throw new Error("Failed to initialize NVML: Unknown Error") }', '((),)');
  const statuses: number[] = [];
  env.broker.store.onEvent((event) => {
    if (event.kind === 'released' || event.kind === 'reported') statuses.push(event.job.status);
  });
  const reloadedAt = Date.now() + reloadedInMs;
  const offer = cpuOffer(1);
  await using _agent = await env.start({
    gpus: [GPU],
    offers: [{ ...offer, slots: offer.slots.map((slot) => ({ ...slot, gpu })) }],
    systemdReloadedAt: () => reloadedAt,
    runtime: (_agentId, processes) => withOther(processes, { mayLoseGpu: () => mayLoseGpu }),
  });
  await env.until(() => expect(statuses[0]).toBe(status));
});
