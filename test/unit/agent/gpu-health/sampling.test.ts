import { expect, test } from 'vitest';
import { aJobOn, openGpuScenario } from '../../../support/agent/gpu-scenario.ts';
import { aGpu } from '../../../support/domain.ts';

const GPU = aGpu({ uuid: 'GPU-a' });

test('GPUs are sampled every second while a job is on one, and only then', async () => {
  await using scenario = await openGpuScenario([GPU]);
  const { health, samples } = scenario;
  expect(samples.learned).toEqual([GPU]);
  const [first, second] = [aJobOn(GPU, 'first'), aJobOn(GPU, 'second')];
  expect(samples.watchers).toBe(0);
  scenario.start(first);
  scenario.start(second);
  scenario.start(second);
  expect(samples.watchers).toBe(1);
  scenario.end(first);
  expect(samples.watchers).toBe(1);
  health.jobEnded(second, { kind: 'detached' });
  expect(samples.watchers).toBe(1);
  await health.slotVacated(second);
  expect(samples.watchers).toBe(0);
});
