import { describe, expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../../src/domain/job.ts';
import { aJobOn, type GpuScenario, openGpuScenario } from '../../../support/agent/gpu-scenario.ts';
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

async function failThree(scenario: GpuScenario): Promise<void> {
  for (const uuid of ['a', 'b', 'c']) {
    const job = aJobOn(BAD, uuid);
    scenario.start(job);
    scenario.end(job, JOB_STATUS.FAILED, 500);
    await scenario.health.slotVacated(job);
  }
}

const until = (condition: () => void | Promise<void>) => vi.waitFor(condition, 15_000);

describe('a GPU on which several jobs in a row fail at once', () => {
  test('is cordoned until a canary passes, which leaves no orphans', async () => {
    await using scenario = await openGpuScenario([GOOD, BAD]);
    await scenario.letFail(true);
    await failThree(scenario);
    expect(scenario.cordons()).toEqual(['GPU-bad']);
    await until(() => expect(scenario.kinds().filter((kind) => kind === 'gpu-canary')).not.toEqual([]));
    expect(scenario.cordons()).toEqual(['GPU-bad']);
    expect(scenario.events.find(({ kind }) => kind === 'gpu-canary')).toMatchObject({
      why: 'exit code 3: no such luck',
    });

    await scenario.letFail(false);
    await until(() => expect(scenario.cordons()).toEqual([]));
    expect(scenario.plans.map(({ gpu }) => gpu)).toEqual(scenario.plans.map(() => 'GPU-bad'));
    expect(scenario.plans.every(({ job }) => job.startsWith('canary-'))).toBe(true);
    expect(scenario.kinds().at(-1)).toBe('gpu-uncordoned');
    expect(scenario.kinds().filter((kind) => kind === 'gpu-cordoned')).toHaveLength(1);
    await until(async () => expect(await scenario.left()).toEqual([]));
  });

  test('is not cordoned for jobs of one run, nor with a longer job or a success in between', async () => {
    await using scenario = await openGpuScenario([BAD]);
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
      scenario.start(job);
      scenario.end(job, status, durationMs);
    }
    expect(scenario.cordons()).toEqual([]);
  });

  test('counts jobs that could not be started, but not jobs at fault themselves', async () => {
    await using scenario = await openGpuScenario([BAD]);
    await scenario.letFail(true);
    // Ended without ever having been started: the function or the image cannot be used.
    for (const uuid of ['a', 'b', 'c']) scenario.end(aJobOn(BAD, uuid), JOB_STATUS.FAILED, 0);
    expect(scenario.cordons()).toEqual([]);
    for (const uuid of ['d', 'e', 'f']) {
      const job = aJobOn(BAD, uuid);
      scenario.health.jobEnded(job, {
        kind: 'released',
        cause: 'start',
        why: 'RUNTIME_FAILED: nvidia-container-cli',
      });
    }
    expect(scenario.cordons()).toEqual(['GPU-bad']);
  });
});

describe('an Xid that is the host’s fault', () => {
  test('cordons only its GPU, until nvidia-smi reports it healthy and a canary passes', async () => {
    await using scenario = await openGpuScenario([GOOD, BAD]);
    const job = aJobOn(BAD, 'a');
    const neighbour = aJobOn(GOOD, 'b');
    scenario.start(job);
    scenario.start(neighbour);
    scenario.probed = [GOOD, sick];
    scenario.xid(79, BAD, 'GPU has fallen off the bus.');
    expect(scenario.cordons()).toEqual(['GPU-bad']);
    expect(await scenario.health.hostFault(job)).toContain('Xid 79');
    expect(await scenario.health.hostFault(neighbour)).toBeUndefined();
    await until(() => expect(scenario.kinds().filter((kind) => kind === 'gpu-cordoned')).toHaveLength(2));
    expect(scenario.plans).toEqual([]);

    scenario.probed = [GOOD, BAD];
    await until(() => expect(scenario.cordons()).toEqual([]));
    expect(scenario.plans.map(({ gpu }) => gpu)).toEqual(['GPU-bad']);
    // The job that was on it stays the host's, however well the GPU is by now.
    expect(await scenario.health.hostFault(job)).toContain('Xid 79');
  });

  test('of a GPU with MIG slices cordons all slices; the canary uses one', async () => {
    await using scenario = await openGpuScenario([GOOD, SLICED]);
    const job = aJobOn('MIG-2', 'a');
    scenario.start(job);
    scenario.xid(48, SLICED);
    expect(scenario.cordons()).toEqual(['GPU-sliced', 'MIG-1', 'MIG-2']);
    expect(await scenario.health.hostFault(job)).toContain('Xid 48');
    await until(() => expect(scenario.cordons()).toEqual([]));
    expect(scenario.plans.map(({ gpu }) => gpu)).toEqual(['MIG-1']);
  });

  test('any other is logged once and cordons nothing', async () => {
    await using scenario = await openGpuScenario([GOOD]);
    const job = aJobOn(GOOD, 'a');
    scenario.start(job);
    for (let times = 0; times < 5; times += 1) scenario.xid(31, GOOD, 'Ch 0000000b');
    scenario.xid(154, GOOD, 'GPU recovery action changed from 0x1 (GPU Reset Required) to 0x0 (None)');
    expect(scenario.kinds()).toEqual(['gpu-xid', 'gpu-xid']);
    expect(scenario.cordons()).toEqual([]);
    expect(await scenario.health.hostFault(job)).toBeUndefined();
  });
});

describe('the cause of a failed job', () => {
  test.each<[string, GpuScenario['probed'], RegExp | undefined]>([
    ['the GPU is healthy', [GOOD, BAD], undefined],
    ['the GPU is sick', [GOOD, sick], /GPU 1, NVIDIA T4 \(GPU-bad\): it says “GPU requires reset”/],
    ['the GPU is missing', [GOOD], /GPU-bad\)/],
    ['the probe fails', new Error('nvidia-smi: a GPU is lost'), /a GPU is lost/],
  ])('%s', async (_, probed, why) => {
    await using scenario = await openGpuScenario([GOOD, BAD]);
    const job = aJobOn(BAD, 'a');
    scenario.start(job);
    scenario.probed = probed;
    const fault = await scenario.health.hostFault(job);
    if (why === undefined) expect(fault).toBeUndefined();
    else expect(fault).toMatch(why);
    expect(await scenario.health.hostFault({ ...job, gpu: null })).toBeUndefined();
  });
});

describe('what nvidia-smi says beside its table', () => {
  const lost = (text: string) => ({ text, hint: 'reboot', busId: '0000:02:00.0' });
  const NOTICE = lost('GPU 0000:02:00.0: GPU is lost.');

  test('is the reason why a GPU is missing, and is reported once until it is gone', async () => {
    await using scenario = await openGpuScenario([GOOD, BAD]);
    const job = aJobOn(BAD, 'a');
    scenario.probed = [GOOD];
    scenario.notices = [NOTICE];
    for (let times = 0; times < 3; times += 1)
      expect(await scenario.health.hostFault(job)).toContain('GPU is lost');
    expect(scenario.cordons()).toEqual(['GPU-bad']);
    expect(scenario.kinds()).toEqual(['gpu-notice', 'gpu-cordoned']);
    expect(scenario.events[0]).toMatchObject({ gpu: { uuid: 'GPU-bad' }, hint: 'reboot' });
    scenario.probed = [GOOD, BAD];
    scenario.notices = [];
    await scenario.health.gpus();
    scenario.notices = [NOTICE];
    await scenario.health.gpus();
    expect(scenario.kinds()).toEqual(['gpu-notice', 'gpu-cordoned', 'gpu-uncordoned', 'gpu-notice']);
  });

  test('is no new notice because of a time of day in it, and cordons no GPU that is listed', async () => {
    await using scenario = await openGpuScenario([GOOD, BAD]);
    for (const time of ['10:00:01', '10:00:59', '23:12:13']) {
      scenario.notices = [{ text: `${time} WARNING: infoROM is corrupted`, hint: 'ask', busId: undefined }];
      await scenario.health.gpus();
    }
    expect(scenario.kinds()).toEqual(['gpu-notice']);
    expect(scenario.cordons()).toEqual([]);
  });

  test('about a GPU that works is reported once', async () => {
    await using scenario = await openGpuScenario([GOOD]);
    scenario.probed = [{ ...GOOD, warnings: [{ why: 'a memory repair is pending', hint: 'reboot' }] }];
    await scenario.health.gpus();
    await scenario.health.gpus();
    expect(scenario.events).toMatchObject([{ kind: 'gpu-notice', gpu: { uuid: 'GPU-good' } }]);
    expect(scenario.cordons()).toEqual([]);
  });
});

describe('GPUs whose probe fails', () => {
  test('are all cordoned, which is logged once, and uncordoned later', async () => {
    await using scenario = await openGpuScenario([GOOD, BAD]);
    scenario.probed = new Error('nvidia-smi gave no answer in 15 s');
    await scenario.health.hostFault(aJobOn(GOOD, 'a'));
    await scenario.health.hostFault(aJobOn(GOOD, 'a'));
    expect(scenario.cordons()).toEqual(['GPU-bad', 'GPU-good']);
    scenario.probed = [GOOD, BAD];
    await scenario.health.hostFault(aJobOn(GOOD, 'a'));
    expect(scenario.cordons()).toEqual([]);
    expect(scenario.kinds()).toEqual(['gpu-probe-failed', 'gpu-probe-recovered']);
  });
});
