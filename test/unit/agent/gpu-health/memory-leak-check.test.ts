import { describe, expect, test, vi } from 'vitest';
import { GpuCordons } from '../../../../src/agent/gpu-health/cordons.ts';
import { GpuPoller } from '../../../../src/agent/gpu-health/gpu-poller.ts';
import { GpuTenants } from '../../../../src/agent/gpu-health/gpu-tenants.ts';
import { GpuMemoryLeakCheck } from '../../../../src/agent/gpu-health/memory-leak-check.ts';
import type { Gpu } from '../../../../src/domain/gpu.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { aJobOn, gpuRig } from '../../../support/agent/gpu-scenario.ts';
import { aGpu } from '../../../support/domain.ts';

const GPU = aGpu({ uuid: 'GPU-a', memoryUsedMiB: 300 });
const FULL = { ...GPU, memoryUsedMiB: 9_000 };
const OTHER = aGpu({ uuid: 'GPU-b', index: 1, busId: '00000000:02:00.0' });
const JOB = aJobOn(GPU, 'a');

const until = (condition: () => void) => vi.waitFor(condition, 15_000);
/** A clock that does in half a second what takes ten. */
const FAST = { speed: 20 };

describe('a GPU’s memory after a job', () => {
  test('is back: nothing is told, and jobs may come at once', async () => {
    await using rig = await gpuRig([GPU]);
    rig.start(JOB);
    rig.sight = [FULL];
    // A look while the job is there says nothing of what is usual.
    await rig.health.hostFault(JOB);
    rig.sight = [GPU];
    rig.end(JOB);
    await rig.health.slotVacated(JOB);
    expect(rig.cordons()).toEqual([]);
    expect(rig.told()).toEqual([]);
  });

  test('comes back a moment later: until then no job comes, and nothing is told', async () => {
    await using rig = await gpuRig([GPU, OTHER]);
    rig.start(JOB);
    rig.sight = [FULL, OTHER];
    rig.end(JOB);
    await rig.health.slotVacated(JOB);
    expect(rig.cordons()).toEqual(['GPU-a']);
    rig.sight = [GPU, OTHER];
    await until(() => expect(rig.cordons()).toEqual([]));
    expect(rig.told()).toEqual([]);
  });

  test('does not come back: what holds it is named, and no job comes until it is', async () => {
    await using rig = await gpuRig([GPU, OTHER], FAST);
    rig.start(JOB);
    rig.sight = [FULL, OTHER];
    rig.processes = [
      { pid: 4711, gpu: 'GPU-a', usedMiB: 8_700 },
      { pid: 4712, gpu: 'GPU-b', usedMiB: 100 },
    ];
    rig.end(JOB);
    await rig.health.slotVacated(JOB);
    await until(() => expect(rig.told()).toEqual(['gpu-cordoned']));
    expect(rig.events[0]).toMatchObject({ gpu: { uuid: 'GPU-a' } });
    expect(JSON.stringify(rig.events[0])).toMatch(/8700 MiB.* 4711 \(8700 MiB\)/);
    expect(rig.cordons()).toEqual(['GPU-a']);
    // Looks that show no change tell nothing new, and take nothing for usual.
    await rig.health.hostFault(aJobOn(OTHER, 'b'));
    expect(rig.cordons()).toEqual(['GPU-a']);
    rig.sight = [GPU, OTHER];
    await rig.health.hostFault(aJobOn(OTHER, 'b'));
    expect(rig.cordons()).toEqual([]);
    expect(rig.told()).toEqual(['gpu-cordoned', 'gpu-uncordoned']);
  });

  test('is not asked about while another job is there', async () => {
    await using rig = await gpuRig([GPU]);
    const second = aJobOn(GPU, 'b');
    rig.start(JOB);
    rig.start(second);
    rig.sight = [FULL];
    rig.end(JOB);
    await rig.health.slotVacated(JOB);
    expect(rig.cordons()).toEqual([]);
    rig.end(second);
    await rig.health.slotVacated(second);
    expect(rig.cordons()).toEqual(['GPU-a']);
  });

  test.each([
    ['figures are missing', [{ ...GPU, memoryUsedMiB: undefined }]],
    ['it is cut into slices', [{ ...GPU, migMode: true }]],
  ])('cannot be known: %s', async (_, gpus) => {
    await using rig = await gpuRig(gpus);
    rig.start(JOB);
    rig.sight = gpus.map((gpu) => ({ ...gpu, memoryUsedMiB: gpu.memoryUsedMiB && 9_000 }));
    rig.end(JOB);
    await rig.health.slotVacated(JOB);
    expect(rig.cordons()).toEqual([]);
  });

  test('cannot be seen, since nvidia-smi hangs: the slot does not wait for that', async () => {
    await using rig = await gpuRig([GPU]);
    rig.start(JOB);
    rig.sight = 'hangs';
    rig.end(JOB);
    const began = performance.now();
    await rig.health.slotVacated(JOB);
    expect(performance.now() - began).toBeLessThan(4_500);
  });

  test('what its owner began to use between two jobs counts as usual', async () => {
    await using rig = await gpuRig([GPU, OTHER]);
    rig.sight = [FULL, OTHER];
    await rig.health.hostFault(aJobOn(OTHER, 'b'));
    rig.start(JOB);
    rig.end(JOB);
    await rig.health.slotVacated(JOB);
    expect(rig.cordons()).toEqual([]);
  });
});

test('memory that was read while a canary came and went is not taken for the baseline', async () => {
  const over = new AbortController();
  const cordons = new GpuCordons(
    () => undefined,
    () => undefined,
  );
  const tenants = new GpuTenants(() => cordons.parents);
  const seen = Promise.withResolvers<readonly Gpu[]>();
  const probes = [Promise.resolve([GPU]), seen.promise, Promise.resolve([FULL])];
  const parts = { tenants, vulnerabilities: undefined, signal: over.signal };
  const polls = new GpuPoller({
    ...parts,
    probe: { gpus: () => probes.shift() ?? Promise.resolve([FULL]) },
    onSnapshot: (snapshot) => 'gpus' in snapshot && memory.record(snapshot),
  });
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
  const memory = new GpuMemoryLeakCheck({ ...parts, cordons, polls, probe: {}, log, clock: systemClock });
  await polls.poll();
  const disturbed = polls.poll();
  tenants.enter(GPU.uuid, 'canary-1');
  tenants.leave(GPU.uuid, 'canary-1');
  seen.resolve([FULL]);
  await disturbed;
  memory.jobLeft(GPU.uuid);
  await memory.checked(GPU.uuid);
  expect([...cordons.uuids]).toEqual([GPU.uuid]);
  over.abort();
});
