import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { GpuCordons } from '../../../../src/agent/gpu-health/cordons.ts';
import { GpuPoller } from '../../../../src/agent/gpu-health/gpu-poller.ts';
import { GpuTenants } from '../../../../src/agent/gpu-health/gpu-tenants.ts';
import { GpuMemoryLeakCheck } from '../../../../src/agent/gpu-health/memory-leak-check.ts';
import type { Gpu, GpuReading } from '../../../../src/domain/gpu.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { aJobOn, openGpuScenario } from '../../../support/agent/gpu-scenario.ts';
import { VirtualTime } from '../../../support/clock/virtual-time.ts';
import { aGpu } from '../../../support/domain.ts';

let time: VirtualTime;
beforeEach(() => {
  time = new VirtualTime();
});
afterEach(() => time[Symbol.asyncDispose]());

const GPU = aGpu({ uuid: 'GPU-a', memoryUsedMiB: 300 });
const FULL = { ...GPU, memoryUsedMiB: 9_000 };
const OTHER = aGpu({ uuid: 'GPU-b', index: 1, busId: '00000000:02:00.0' });
const JOB = aJobOn(GPU, 'a');

const until = (condition: () => void) => vi.waitFor(condition, 15_000);
/** Ten seconds of this clock take half a second. */
const FAST = { speed: 20 };

describe('a GPU’s memory after a job', () => {
  test('is back at once: nothing is logged, and jobs may start', async () => {
    await using scenario = await openGpuScenario([GPU]);
    scenario.start(JOB);
    scenario.probed = [FULL];
    // A probe during the job says nothing about the baseline.
    await scenario.health.hostFault(JOB);
    scenario.probed = [GPU];
    scenario.end(JOB);
    await scenario.health.slotVacated(JOB);
    expect(scenario.cordons()).toEqual([]);
    expect(scenario.kinds()).toEqual([]);
  });

  test('comes back a moment later: until then no job starts, and nothing is logged', async () => {
    await using scenario = await openGpuScenario([GPU, OTHER]);
    scenario.start(JOB);
    scenario.probed = [FULL, OTHER];
    scenario.end(JOB);
    await scenario.health.slotVacated(JOB);
    expect(scenario.cordons()).toEqual(['GPU-a']);
    scenario.probed = [GPU, OTHER];
    await until(() => expect(scenario.cordons()).toEqual([]));
    expect(scenario.kinds()).toEqual([]);
  });

  test('does not come back: its processes are named, and no job starts until it does', async () => {
    await using scenario = await openGpuScenario([GPU, OTHER], FAST);
    scenario.start(JOB);
    scenario.probed = [FULL, OTHER];
    scenario.processes = [
      { pid: 4711, gpu: 'GPU-a', usedMiB: 8_700 },
      { pid: 4712, gpu: 'GPU-b', usedMiB: 100 },
    ];
    scenario.end(JOB);
    await scenario.health.slotVacated(JOB);
    await until(() => expect(scenario.kinds()).toEqual(['gpu-cordoned']));
    expect(scenario.events[0]).toMatchObject({ gpu: { uuid: 'GPU-a' } });
    expect(JSON.stringify(scenario.events[0])).toMatch(/8700 MiB.* 4711 \(8700 MiB\)/);
    expect(scenario.cordons()).toEqual(['GPU-a']);
    // Looks that show no change tell nothing new, and take nothing for usual.
    await scenario.health.hostFault(aJobOn(OTHER, 'b'));
    expect(scenario.cordons()).toEqual(['GPU-a']);
    scenario.probed = [GPU, OTHER];
    await scenario.health.hostFault(aJobOn(OTHER, 'b'));
    expect(scenario.cordons()).toEqual([]);
    expect(scenario.kinds()).toEqual(['gpu-cordoned', 'gpu-uncordoned']);
  });

  test('is not probed while another job is running', async () => {
    await using scenario = await openGpuScenario([GPU]);
    const second = aJobOn(GPU, 'b');
    scenario.start(JOB);
    scenario.start(second);
    scenario.probed = [FULL];
    scenario.end(JOB);
    await scenario.health.slotVacated(JOB);
    expect(scenario.cordons()).toEqual([]);
    scenario.end(second);
    await scenario.health.slotVacated(second);
    expect(scenario.cordons()).toEqual(['GPU-a']);
  });

  test.each([
    ['figures are missing', [{ ...GPU, memoryUsedMiB: undefined }]],
    ['it is cut into slices', [{ ...GPU, migMode: true }]],
  ])('cannot be known: %s', async (_, gpus) => {
    await using scenario = await openGpuScenario(gpus);
    scenario.start(JOB);
    scenario.probed = gpus.map((gpu) => ({ ...gpu, memoryUsedMiB: gpu.memoryUsedMiB && 9_000 }));
    scenario.end(JOB);
    await scenario.health.slotVacated(JOB);
    expect(scenario.cordons()).toEqual([]);
  });

  test('cannot be probed because nvidia-smi hangs: the slot does not wait', async () => {
    await using scenario = await openGpuScenario([GPU]);
    scenario.start(JOB);
    scenario.probed = 'hangs';
    scenario.end(JOB);
    const before = time.waitedMs;
    await scenario.health.slotVacated(JOB);
    expect(time.waitedMs - before).toBeLessThan(4_500);
  });

  test('includes in its baseline what the owner starts to use between two jobs', async () => {
    await using scenario = await openGpuScenario([GPU, OTHER]);
    scenario.probed = [FULL, OTHER];
    await scenario.health.hostFault(aJobOn(OTHER, 'b'));
    scenario.start(JOB);
    scenario.end(JOB);
    await scenario.health.slotVacated(JOB);
    expect(scenario.cordons()).toEqual([]);
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
  const reading = (gpus: readonly Gpu[]): GpuReading => ({ gpus, notices: [] });
  const probes = [Promise.resolve([GPU]), seen.promise, Promise.resolve([FULL])];
  const parts = { tenants, vulnerabilities: undefined, signal: over.signal };
  const polls = new GpuPoller({
    ...parts,
    probe: { read: async () => reading((await probes.shift()) ?? [FULL]) },
    onSnapshot: (snapshot) => 'gpus' in snapshot && memory.record(snapshot),
    allAsleep: () => false,
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
