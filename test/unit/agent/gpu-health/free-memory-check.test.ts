import { describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../../src/domain/job.ts';
import { aJobOn, openGpuScenario } from '../../../support/agent/gpu-scenario.ts';
import { aGpu } from '../../../support/domain.ts';

const GPU = aGpu({ uuid: 'GPU-a', memoryUsedMiB: 4 });
const FULL = { ...GPU, memoryUsedMiB: 15_000 };
const OTHER = aGpu({ uuid: 'GPU-b', index: 1, busId: '00000000:02:00.0' });
const OOM = { outOfMemory: true };

describe('a GPU whose memory others use', () => {
  test('is cordoned once while it is short of memory, and only that GPU', async () => {
    await using scenario = await openGpuScenario([FULL, OTHER]);
    expect(scenario.cordons()).toEqual(['GPU-a']);
    for (const memoryUsedMiB of [14_900, 13_900, 13_700]) {
      scenario.probed = [{ ...GPU, memoryUsedMiB }, OTHER];
      await scenario.health.gpus();
    }
    expect(scenario.cordons()).toEqual(['GPU-a']);
    scenario.probed = [GPU, OTHER];
    await scenario.health.gpus();
    expect(scenario.cordons()).toEqual([]);
    expect(scenario.kinds()).toEqual(['gpu-cordoned', 'gpu-uncordoned']);
  });

  test('does not count the memory of jobs of ours that run on it', async () => {
    await using scenario = await openGpuScenario([GPU]);
    scenario.start(aJobOn(GPU, 'a'));
    scenario.probed = [FULL];
    await scenario.health.gpus();
    expect(scenario.cordons()).toEqual([]);
  });

  test('is the host’s memory where the GPU has none of its own', async () => {
    const shared = { ...GPU, memoryTotalMiB: undefined, memoryUsedMiB: undefined };
    await using scenario = await openGpuScenario([shared]);
    scenario.hostMemory = { totalBytes: 128e9, availableBytes: 3e9 };
    await scenario.health.gpus();
    expect(scenario.cordons()).toEqual(['GPU-a']);
    scenario.hostMemory = { totalBytes: 128e9, availableBytes: 100e9 };
    await scenario.health.gpus();
    expect(scenario.cordons()).toEqual([]);
  });

  test('gets no canary before its memory is free', async () => {
    await using scenario = await openGpuScenario([GPU]);
    scenario.probed = [FULL];
    scenario.start(aJobOn(GPU, 'a'));
    scenario.xid(48, GPU);
    const job = aJobOn(GPU, 'a');
    scenario.end(job, JOB_STATUS.FAILED);
    await scenario.health.slotVacated(job);
    await scenario.health.gpus();
    expect(scenario.plans).toEqual([]);
    expect(scenario.kinds()).not.toContain('gpu-canary');
  });
});

describe('a job that failed', () => {
  test('on a GPU whose memory others use is the host’s fault, whatever it says', async () => {
    await using scenario = await openGpuScenario([GPU], { speed: 50 });
    const job = aJobOn(GPU, 'a');
    scenario.start(job);
    scenario.probed = [FULL];
    expect(await scenario.health.hostFault(job)).toContain('360 MiB');
  });

  test('is its own where the memory is free soon after its end', async () => {
    await using scenario = await openGpuScenario([GPU]);
    const job = aJobOn(GPU, 'a');
    scenario.start(job);
    scenario.probed = [FULL];
    const fault = scenario.health.hostFault(job, OOM);
    await scenario.health.gpus();
    scenario.probed = [GPU];
    expect(await fault).toBeUndefined();
  });

  test('for lack of memory is the host’s fault where others took memory while it ran', async () => {
    await using scenario = await openGpuScenario([GPU], { speed: 50 });
    const job = aJobOn(GPU, 'a');
    scenario.start(job);
    scenario.probed = [{ ...GPU, memoryUsedMiB: 8_004 }];
    expect(await scenario.health.hostFault(job, { outOfMemory: false })).toBeUndefined();
    expect(await scenario.health.hostFault(job, OOM)).toContain('8000 MiB');
  });

  test('beside another job of ours is its own, because nothing says whose the memory is', async () => {
    await using scenario = await openGpuScenario([GPU], { speed: 50 });
    const job = aJobOn(GPU, 'a');
    scenario.start(job);
    scenario.start(aJobOn(GPU, 'b'));
    scenario.probed = [FULL];
    expect(await scenario.health.hostFault(job, OOM)).toBeUndefined();
  });
});
