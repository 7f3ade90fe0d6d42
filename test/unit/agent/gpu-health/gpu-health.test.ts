import { describe, expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../../src/domain/job.ts';
import { aJobOn, type GpuRig, gpuRig } from '../../../support/agent/gpu-scenario.ts';
import { aGpu } from '../../../support/domain.ts';

const GOOD = aGpu({ uuid: 'GPU-good', index: 0, busId: '00000000:01:00.0' });
const BAD = aGpu({ uuid: 'GPU-bad', index: 1, busId: '00000000:02:00.0' });
const SLICED = aGpu({
  uuid: 'GPU-sliced',
  index: 2,
  busId: '00000000:03:00.0',
  migMode: true,
  slices: [
    { uuid: 'MIG-1', profile: '1g.10gb' },
    { uuid: 'MIG-2', profile: '1g.10gb' },
  ],
});
const sick = { ...BAD, fault: 'it says “GPU requires reset”' };

async function failThree(rig: GpuRig): Promise<void> {
  for (const uuid of ['a', 'b', 'c']) {
    const job = aJobOn(BAD, uuid);
    rig.start(job);
    rig.end(job, JOB_STATUS.FAILED, 500);
    await rig.health.slotVacated(job);
  }
}

const until = (condition: () => void | Promise<void>) => vi.waitFor(condition, 15_000);

describe('a GPU on which one job after the other fails at once', () => {
  test('gets no more until a canary has passed, which leaves nothing behind', async () => {
    await using rig = await gpuRig([GOOD, BAD]);
    await rig.letFail(true);
    await failThree(rig);
    expect(rig.cordons()).toEqual(['GPU-bad']);
    await until(() => expect(rig.told().filter((kind) => kind === 'gpu-canary')).not.toEqual([]));
    expect(rig.cordons()).toEqual(['GPU-bad']);
    expect(rig.events.find(({ kind }) => kind === 'gpu-canary')).toMatchObject({
      why: 'exit code 3: no such luck',
    });

    await rig.letFail(false);
    await until(() => expect(rig.cordons()).toEqual([]));
    expect(rig.plans.map(({ gpu }) => gpu)).toEqual(rig.plans.map(() => 'GPU-bad'));
    expect(rig.plans.every(({ job }) => job.startsWith('canary-'))).toBe(true);
    expect(rig.told().at(-1)).toBe('gpu-uncordoned');
    expect(rig.told().filter((kind) => kind === 'gpu-cordoned')).toHaveLength(1);
    await until(async () => expect(await rig.left()).toEqual([]));
  });

  test('is not suspected for jobs of one run, nor with a longer job or a success between', async () => {
    await using rig = await gpuRig([BAD]);
    const ends = [
      ['a', 'x', JOB_STATUS.FAILED, 100],
      ['b', 'x', JOB_STATUS.FAILED, 100],
      ['c', 'x', JOB_STATUS.FAILED, 100],
      ['d', 'y', JOB_STATUS.FAILED, 10_000],
      ['e', 'x', JOB_STATUS.FAILED, 100],
      ['f', 'y', JOB_STATUS.FAILED, 100],
      ['g', 'z', JOB_STATUS.SUCCEEDED, 100],
      ['h', 'z', JOB_STATUS.FAILED, 100],
    ] as const;
    for (const [uuid, run, status, durationMs] of ends) {
      const job = aJobOn(BAD, uuid, run);
      rig.start(job);
      rig.end(job, status, durationMs);
    }
    expect(rig.cordons()).toEqual([]);
  });

  test('jobs that could not even be started count; those that were at fault themselves do not', async () => {
    await using rig = await gpuRig([BAD]);
    await rig.letFail(true);
    // Ended without ever having been started: the function or the image cannot be used.
    for (const uuid of ['a', 'b', 'c']) rig.end(aJobOn(BAD, uuid), JOB_STATUS.FAILED, 0);
    expect(rig.cordons()).toEqual([]);
    for (const uuid of ['d', 'e', 'f']) {
      const job = aJobOn(BAD, uuid);
      rig.health.jobEnded(job, { kind: 'released', why: 'RUNTIME_FAILED: nvidia-container-cli' });
    }
    expect(rig.cordons()).toEqual(['GPU-bad']);
  });
});

describe('an Xid that is the host’s fault', () => {
  test('keeps its GPU out, others not, until nvidia-smi and a canary speak well of it', async () => {
    await using rig = await gpuRig([GOOD, BAD]);
    const job = aJobOn(BAD, 'a');
    const neighbour = aJobOn(GOOD, 'b');
    rig.start(job);
    rig.start(neighbour);
    rig.sight = [GOOD, sick];
    rig.xid(79, BAD, 'GPU has fallen off the bus.');
    expect(rig.cordons()).toEqual(['GPU-bad']);
    expect(await rig.health.hostFault(job)).toContain('Xid 79');
    expect(await rig.health.hostFault(neighbour)).toBeUndefined();
    await until(() => expect(rig.told().filter((kind) => kind === 'gpu-cordoned')).toHaveLength(2));
    expect(rig.plans).toEqual([]);

    rig.sight = [GOOD, BAD];
    await until(() => expect(rig.cordons()).toEqual([]));
    expect(rig.plans.map(({ gpu }) => gpu)).toEqual(['GPU-bad']);
    // The job that was on it stays the host's, however well the GPU is by now.
    expect(await rig.health.hostFault(job)).toContain('Xid 79');
  });

  test('of a GPU that is cut into slices keeps all of them out; a slice is tried', async () => {
    await using rig = await gpuRig([GOOD, SLICED]);
    const job = aJobOn('MIG-2', 'a');
    rig.start(job);
    rig.xid(48, SLICED);
    expect(rig.cordons()).toEqual(['GPU-sliced', 'MIG-1', 'MIG-2']);
    expect(await rig.health.hostFault(job)).toContain('Xid 48');
    await until(() => expect(rig.cordons()).toEqual([]));
    expect(rig.plans.map(({ gpu }) => gpu)).toEqual(['MIG-1']);
  });

  test('any other is told, once, and keeps nothing out', async () => {
    await using rig = await gpuRig([GOOD]);
    const job = aJobOn(GOOD, 'a');
    rig.start(job);
    for (let times = 0; times < 5; times += 1) rig.xid(31, GOOD, 'Ch 0000000b');
    rig.xid(154, GOOD, 'GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)');
    expect(rig.told()).toEqual(['gpu-xid', 'gpu-xid']);
    expect(rig.cordons()).toEqual([]);
    expect(await rig.health.hostFault(job)).toBeUndefined();
  });
});

describe('whose fault it is that a job failed', () => {
  test.each<[string, GpuRig['sight'], RegExp | undefined]>([
    ['the GPU is well', [GOOD, BAD], undefined],
    ['the GPU is sick', [GOOD, sick], /GPU 1, NVIDIA T4 \(GPU-bad\): it says “GPU requires reset”/],
    ['the GPU is gone', [GOOD], /GPU-bad\)/],
    ['nothing can be seen', new Error('nvidia-smi: a GPU is lost'), /a GPU is lost/],
  ])('%s', async (_, sight, why) => {
    await using rig = await gpuRig([GOOD, BAD]);
    const job = aJobOn(BAD, 'a');
    rig.start(job);
    rig.sight = sight;
    const fault = await rig.health.hostFault(job);
    if (why === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(why);
    expect(await rig.health.hostFault({ ...job, gpu: null })).toBeUndefined();
  });
});

describe('GPUs that cannot be seen', () => {
  test('get no jobs, all of them, told once; and get them again', async () => {
    await using rig = await gpuRig([GOOD, BAD]);
    rig.sight = new Error('nvidia-smi gave no answer in 15 s');
    await rig.health.hostFault(aJobOn(GOOD, 'a'));
    await rig.health.hostFault(aJobOn(GOOD, 'a'));
    expect(rig.cordons()).toEqual(['GPU-bad', 'GPU-good']);
    rig.sight = [GOOD, BAD];
    await rig.health.hostFault(aJobOn(GOOD, 'a'));
    expect(rig.cordons()).toEqual([]);
    expect(rig.told()).toEqual(['gpu-probe-failed', 'gpu-probe-recovered']);
  });
});
