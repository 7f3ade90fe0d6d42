import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../src/domain/errors.ts';
import { NvidiaProbe } from '../../../src/gpu/nvidia-probe.ts';
import { answer } from '../../support/nvidia-smi/answer.ts';
import type { Machine, MachineFault } from '../../support/nvidia-smi/machine.ts';
import {
  changed,
  EIGHT_A100,
  GTX_1080_TI,
  H100_MIG,
  ODD,
  RTX_4080_SUPER,
  TESLA_T4,
} from '../../support/nvidia-smi/machines.ts';

const never = new AbortController().signal;

/** A probe of this machine, with the arguments of its calls of nvidia-smi. */
function probeOf(machine: Machine) {
  const calls: (readonly string[])[] = [];
  const at = { machine };
  const run = (args: readonly string[]) => {
    calls.push(args);
    return Promise.resolve(answer(at.machine, args));
  };
  return { at, calls, probe: new NvidiaProbe({ program: 'nvidia-smi' }, { run }) };
}

const gpusOf = async (machine: Machine) => (await probeOf(machine).probe.read(never)).gpus;

describe('the GPU probe', () => {
  test('reads a GeForce', async () => {
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
        persistence: false,
      },
    ]);
  });

  test('asks an old driver only for fields that it knows', async () => {
    expect(await gpusOf(GTX_1080_TI)).toMatchObject([
      { model: 'GeForce GTX 1080 Ti', memoryTotalMiB: 11178, powerDrawW: undefined, powerLimitW: undefined },
    ]);
  });

  test('tells eight equal GPUs apart by their uuids', async () => {
    const gpus = await gpusOf(EIGHT_A100);
    expect(new Set(gpus.map(({ uuid }) => uuid)).size).toBe(8);
    expect(gpus.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  test('reads the slices of a GPU in MIG mode', async () => {
    const gpus = await gpusOf(H100_MIG);
    expect(gpus.map(({ migMode, slices }) => [migMode, slices.map(({ profile }) => profile)])).toEqual([
      [true, ['3g.40gb', '1g.10gb', '1g.10gb+me']],
      [false, []],
    ]);
  });

  test('reads odd cells as unknown, and errors as faults', async () => {
    const gpus = await gpusOf(ODD);
    const faults = [
      /GPU requires reset/,
      /memory\.used/,
      /Drain and Reset/,
      /Prohibited/,
      /uuid/,
      /GPU is lost/,
    ];
    expect(gpus.map(({ fault }) => fault)).toEqual([
      undefined,
      ...faults.map((fault): unknown => expect.stringMatching(fault)),
    ]);
    expect(gpus[0]).toMatchObject({
      memoryTotalMiB: undefined,
      utilizationPercent: undefined,
      migMode: false,
    });
    expect(gpus[5]).toMatchObject({ uuid: 'unknown (00000000:06:00.0)', index: 5, model: 'unknown' });
  });

  test('throws GPU_NONE without a GPU', async () => {
    await expect(gpusOf({ ...TESLA_T4, gpus: [] })).rejects.toMatchObject({ code: 'GPU_NONE' });
    const empty: MachineFault = { kind: 'rows', exit: 0, rows: '\n' };
    await expect(gpusOf({ ...TESLA_T4, fault: empty })).rejects.toMatchObject({ code: 'GPU_NONE' });
  });

  test('refuses rows with other columns than queried', async () => {
    const fault: MachineFault = { kind: 'rows', exit: 0, rows: '0, GPU-1, Tesla T4\n' };
    await expect(gpusOf({ ...TESLA_T4, fault })).rejects.toMatchObject({ code: 'GPU_PROBE_FAILED' });
  });
});

describe('the fields of a driver', () => {
  const helps = (calls: readonly (readonly string[])[]): number =>
    calls.filter(([first]) => first === '--help-query-gpu').length;

  test('are read once', async () => {
    const { calls, probe } = probeOf(TESLA_T4);
    for (let times = 0; times < 3; times += 1) await probe.read(never);
    expect(helps(calls)).toBe(1);
    expect(calls).toHaveLength(4);
  });

  test('are read again after an update of the driver, with or without a failed probe between', async () => {
    const { at, calls, probe } = probeOf(TESLA_T4);
    await probe.read(never);
    at.machine = GTX_1080_TI;
    await expect(probe.read(never)).rejects.toMatchObject({ code: 'GPU_PROBE_FAILED' });
    expect(await probe.read(never)).toMatchObject({ gpus: [{ driver: '390.157' }] });
    at.machine = RTX_4080_SUPER;
    await probe.read(never);
    expect(await probe.read(never)).toMatchObject({ gpus: [{ driver: '580.65.06' }] });
    expect(helps(calls)).toBe(3);
  });
});

describe('the compute processes', () => {
  test('are listed by GPU, with unknown memory as undefined', async () => {
    const processes = [
      { pid: 4711, gpu: 'GPU-1', used: '2048' },
      { pid: 4712, gpu: 'GPU-2', used: '[N/A]' },
      { pid: 4713, gpu: '[Unknown Error]', used: '1' },
    ];
    expect(await probeOf({ ...TESLA_T4, processes }).probe.processes(never)).toEqual([
      { pid: 4711, gpu: 'GPU-1', usedMiB: 2048 },
      { pid: 4712, gpu: 'GPU-2', usedMiB: undefined },
    ]);
  });

  test('can be none', async () => {
    expect(await probeOf(TESLA_T4).probe.processes(never)).toEqual([]);
  });
});

test.each([
  ['unknown', TESLA_T4, false, /persistence mode.*--nvidia-smi-timeout/],
  ['off', TESLA_T4, true, /persistence mode.*--nvidia-smi-timeout/],
  ['on', changed(TESLA_T4, 0, { persistence_mode: 'Enabled' }), true, /^look for a sick GPU/],
])('a hung probe hints at persistence mode where it is %s', async (_, machine, seenBefore, hint) => {
  let isHung = false;
  const run = (args: readonly string[]) =>
    isHung
      ? Promise.reject(new AgentError('GPU_PROBE_HUNG', 'late'))
      : Promise.resolve(answer(machine, args));
  const probe = new NvidiaProbe({ program: 'nvidia-smi' }, { run });
  if (seenBefore) await probe.read(never);
  isHung = true;
  await expect(probe.read(never)).rejects.toMatchObject({
    code: 'GPU_PROBE_HUNG',
    hint: expect.stringMatching(hint) as unknown,
  });
});
