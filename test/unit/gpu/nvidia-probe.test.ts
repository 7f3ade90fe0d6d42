import { describe, expect, test } from 'vitest';
import { NvidiaProbe } from '../../../src/gpu/nvidia-probe.ts';
import type { Machine, MachineFault } from '../../support/nvidia-smi/machine.ts';
import {
  EIGHT_A100,
  GTX_1080_TI,
  H100_MIG,
  ODD,
  RTX_4080_SUPER,
  TESLA_T4,
} from '../../support/nvidia-smi/machines.ts';
import { standIn } from '../../support/nvidia-smi/stand-in.ts';

const never = new AbortController().signal;

async function gpusOf(machine: Machine) {
  await using smi = await standIn(machine);
  return await new NvidiaProbe(smi).gpus(never);
}

describe('the GPUs of a host', () => {
  test('a GeForce', async () => {
    expect(await gpusOf(RTX_4080_SUPER)).toEqual([
      {
        uuid: 'GPU-11111111-aaaa-4bbb-8ccc-111111111111',
        index: 0,
        model: 'NVIDIA GeForce RTX 4080 SUPER',
        busId: '00000000:01:00.0',
        driver: '580.65.06',
        memoryTotalMiB: 16376,
        memoryUsedMiB: 1120,
        utilizationPercent: 37,
        temperatureC: 52,
        powerDrawW: 96.31,
        powerLimitW: 320,
        migMode: false,
        slices: [],
        fault: undefined,
      },
    ]);
  });

  test('an old driver is asked only for what it has', async () => {
    expect(await gpusOf(GTX_1080_TI)).toMatchObject([
      { model: 'GeForce GTX 1080 Ti', memoryTotalMiB: 11178, powerDrawW: undefined, powerLimitW: undefined },
    ]);
  });

  test('eight of a kind, told apart by their uuids', async () => {
    const gpus = await gpusOf(EIGHT_A100);
    expect(new Set(gpus.map(({ uuid }) => uuid)).size).toBe(8);
    expect(gpus.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('the slices of a GPU in MIG mode', async () => {
    const gpus = await gpusOf(H100_MIG);
    expect(gpus.map(({ migMode, slices }) => [migMode, slices.map(({ profile }) => profile)])).toEqual([
      [true, ['3g.40gb', '1g.10gb', '1g.10gb+me']],
      [false, []],
    ]);
  });

  test('odd cells are unknown figures, sick ones faults', async () => {
    const gpus = await gpusOf(ODD);
    expect(gpus.map(({ fault }) => fault)).toEqual([
      undefined,
      'it says “GPU requires reset”',
      'its memory.used cannot be read: unknown error',
      'the driver asks for its recovery: Drain and Reset',
      'its compute mode is Prohibited, so that no job can use it',
      'its uuid cannot be read',
      'it says “GPU is lost”',
    ]);
    expect(gpus[0]).toMatchObject({
      memoryTotalMiB: undefined,
      utilizationPercent: undefined,
      migMode: false,
    });
    expect(gpus[5]).toMatchObject({ uuid: 'unknown (00000000:06:00.0)', index: 5, model: 'unknown' });
  });

  test('no GPU at all', async () => {
    await expect(gpusOf({ ...TESLA_T4, gpus: [] })).rejects.toMatchObject({ code: 'GPU_NONE' });
    const empty: MachineFault = { kind: 'rows', exit: 0, rows: '\n' };
    await expect(gpusOf({ ...TESLA_T4, fault: empty })).rejects.toMatchObject({ code: 'GPU_NONE' });
  });

  test('rows that are not what was asked for are refused', async () => {
    const fault: MachineFault = { kind: 'rows', exit: 0, rows: '0, GPU-1, Tesla T4\n' };
    await expect(gpusOf({ ...TESLA_T4, fault })).rejects.toMatchObject({ code: 'GPU_PROBE_FAILED' });
  });

  test('a lost GPU does not hide the others, and none left is an error', async () => {
    const row =
      '1, GPU-b, Tesla T4, 00000000:02:00.0, 535.183.01, 15360, 4, 0, 38, 14.52, 70.00, Default, [N/A]\n';
    const lost =
      'Unable to determine the device handle for GPU 0000:01:00.0: GPU is lost.  Reboot the system.\n';
    expect(await gpusOf({ ...TESLA_T4, fault: { kind: 'rows', exit: 15, rows: lost + row } })).toMatchObject([
      { uuid: 'GPU-b', fault: undefined },
    ]);
    const none: MachineFault = { kind: 'rows', exit: 15, rows: lost };
    await expect(gpusOf({ ...TESLA_T4, fault: none })).rejects.toMatchObject({
      code: 'GPU_PROBE_FAILED',
      message: expect.stringContaining('a GPU is lost (exit code 15)') as unknown,
    });
  });
});

describe('what a driver can be asked', () => {
  const helps = (calls: readonly { readonly args: readonly string[] }[]): number =>
    calls.filter(({ args }) => args[0] === '--help-query-gpu').length;

  test('is learned once', async () => {
    await using smi = await standIn(TESLA_T4);
    const probe = new NvidiaProbe(smi);
    for (let look = 0; look < 3; look += 1) await probe.gpus(never);
    expect(helps(await smi.calls())).toBe(1);
    expect(await smi.calls()).toHaveLength(4);
  });

  test('is learned anew after the driver has changed, with a look that fails in between or not', async () => {
    await using smi = await standIn(TESLA_T4);
    const probe = new NvidiaProbe(smi);
    await probe.gpus(never);
    await smi.become(GTX_1080_TI);
    await expect(probe.gpus(never)).rejects.toMatchObject({ code: 'GPU_PROBE_FAILED' });
    expect(await probe.gpus(never)).toMatchObject([{ driver: '390.157' }]);
    await smi.become(RTX_4080_SUPER);
    await probe.gpus(never);
    expect(await probe.gpus(never)).toMatchObject([{ driver: '580.65.06' }]);
    expect(helps(await smi.calls())).toBe(3);
  });
});

describe('what computes on the GPUs', () => {
  test('by process, with unknown figures left unknown', async () => {
    const processes = [
      { pid: 4711, gpu: 'GPU-1', used: '2048' },
      { pid: 4712, gpu: 'GPU-2', used: '[N/A]' },
      { pid: 4713, gpu: '[Unknown Error]', used: '1' },
    ];
    await using smi = await standIn({ ...TESLA_T4, processes });
    expect(await new NvidiaProbe(smi).processes(never)).toEqual([
      { pid: 4711, gpu: 'GPU-1', usedMiB: 2048 },
      { pid: 4712, gpu: 'GPU-2', usedMiB: undefined },
    ]);
  });

  test('nothing', async () => {
    await using smi = await standIn(TESLA_T4);
    expect(await new NvidiaProbe(smi).processes(never)).toEqual([]);
  });
});
