import { describe, expect, test } from 'vitest';
import { checkBroker, checkClock } from '../../../src/cli/check/check-broker.ts';
import { checkPrice } from '../../../src/cli/check/check-config.ts';
import { checkEngine, checkGpuAccess } from '../../../src/cli/check/check-engine.ts';
import { checkGpus } from '../../../src/cli/check/check-gpus.ts';
import { checkDiskSpace, checkMemory, checkNode, checkStateDir } from '../../../src/cli/check/check-host.ts';
import type { CheckResult } from '../../../src/cli/check/check-result.ts';
import { checkText, isReady } from '../../../src/cli/check/render.ts';
import { query } from '../../../src/cli/query.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { Gpu } from '../../../src/domain/gpu.ts';
import type { GpuTerms } from '../../../src/domain/plan-offers.ts';
import type { EngineFacts } from '../../../src/runtime/docker/engine/facts.ts';

const seen = <T>(value: T) => ({ value, ms: 7 });
const unseen = { error: new AgentError('INTERNAL', 'it broke', { hint: 'hint it' }) };
const short = ({ found, level, hint }: CheckResult) =>
  `${level}: ${found}${hint === undefined ? '' : ` -> ${hint}`}`;

const MODEL = 'NVIDIA GeForce RTX 3090';
const GPU: Gpu = {
  uuid: 'GPU-0a1b2c3d-0000-4000-8000-000000000000',
  index: 0,
  model: MODEL,
  busId: '00000000:01:00.0',
  driver: '550.1',
  memoryTotalMiB: 24576,
  memoryUsedMiB: 1,
  utilizationPercent: 0,
  temperatureC: 40,
  powerDrawW: 20.4,
  powerLimitW: undefined,
  migMode: false,
  slices: [],
  fault: undefined,
};
const RTX_3090 = { uuid: 'u', name: 'Nvidia GeForce RTX 3090 24GB', codename: 'rtx3090', cudaCores: 10496 };
const TERMS: GpuTerms = { askPrice: undefined, catalogue: undefined, slots: 2 };

describe('how far the clocks are apart', () => {
  const apart = (ms: number) => short(checkClock(seen({ brokerMs: 1e12 + ms, localMs: 1e12 })));

  test.each([
    [0, /^ok: the same/],
    [-1400, /^ok: the same/],
    [5000, /^ok: .* 5s ahead$/],
    [-30_000, /^ok: .* 30s behind$/],
    [31_000, /^warn: .* 31s ahead -> set this host’s clock/],
    [-600_000, /^warn: .* 10m behind -> set this host’s clock/],
    [7_200_000, /^warn: .* 2h ahead -> it may keep another time zone/],
    [-19_790_000, /^warn: .* 5h29m50s behind -> it may keep another time zone/],
    [7_500_000, /^warn: .* 2h5m ahead -> set this host’s clock/],
  ])('%d ms', (ms, expected) => {
    expect(apart(ms)).toMatch(expected);
  });

  test('nothing is compared where the broker tells no time', () => {
    expect(checkClock(seen(undefined)).level).toBe('warn');
    expect(checkClock(unseen).level).toBe('warn');
  });
});

describe('the broker', () => {
  const refusal = { error: new AgentError('BROKER_UNAUTHORIZED', 'no') };

  test('that wants a token is there, unless it was shown one', () => {
    expect(checkBroker('http://b', refusal, false).level).toBe('ok');
    expect(checkBroker('http://b', refusal, true).level).toBe('fail');
  });

  test('that answers is told with how long it took', () => {
    expect(checkBroker('http://b', seen([RTX_3090]), true).found).toContain('http://b answers in 7 ms');
    expect(checkBroker('http://b', seen([]), true).level).toBe('warn');
    expect(checkBroker('http://b', unseen, false).level).toBe('fail');
  });
});

describe('the price', () => {
  const own = { model: MODEL.toUpperCase(), askPrice: 0.12, catalogue: undefined, slots: undefined };
  const other = { ...own, model: 'NVIDIA H100' };

  test.each([
    ['one for all', { askPrice: 0.05, gpus: [own], cpuSlots: 1 }, /^ok: \$0\.05 .*RTX 3090 \$0\.12$/],
    ['one for the model that is here', { askPrice: undefined, gpus: [own], cpuSlots: 0 }, /^ok/],
    ['one for another model', { askPrice: undefined, gpus: [other], cpuSlots: 0 }, /^fail: .* RTX 3090 -> /],
    [
      'none for CPU jobs',
      { askPrice: undefined, gpus: [own], cpuSlots: 1 },
      /^fail: .* for CPU jobs -> set --ask-price/,
    ],
    ['none at all', { askPrice: undefined, gpus: [], cpuSlots: 0 }, /^fail: .* -> set --ask-price/],
  ])('%s', (_, config, expected) => {
    expect(short(checkPrice(config, [GPU]))).toMatch(expected);
  });
});

describe('Docker', () => {
  const engine: EngineFacts = {
    version: '27.0.1',
    apiVersion: '1.46',
    runc: '1.2.8',
    os: 'linux',
    storageDriver: 'overlay2',
    backingFileSystem: 'xfs',
    dataRoot: '/var/lib/docker',
    runtimes: ['runc'],
    seccomp: true,
    limits: { memory: true, swap: true, pids: true, cpu: true },
    liveRestore: false,
    cdi: false,
  };

  const needs = { acceptNoSeccomp: false, gpuMode: 'auto', runtime: 'runc' } as const;

  test('is told with its seccomp, and fails without', () => {
    expect(short(checkEngine(seen(engine), needs))).toBe(
      'ok: Docker 27.0.1, runc 1.2.8, overlay2, seccomp on',
    );
    expect(short(checkEngine(seen({ ...engine, seccomp: false }), needs))).toMatch(
      /^fail: .*seccomp off: .* -> /,
    );
    expect(short(checkEngine(unseen, needs))).toBe('fail: it broke -> hint it');
  });

  test('fails without the runtime that the owner wants for jobs', () => {
    const runsc = { ...needs, runtime: 'runsc' };
    expect(short(checkEngine(seen(engine), runsc))).toMatch(
      /^fail: .*no runtime named runsc.* -> add runsc to/,
    );
    expect(short(checkEngine(seen({ ...engine, runtimes: ['runc', 'runsc'] }), runsc))).toMatch(
      /^ok: .*, jobs in runsc$/,
    );
  });

  const nvidia = { runtimes: ['runc', 'nvidia'] };
  test.each([
    ['cdi', { cdi: true }, false, /^ok: by CDI/],
    ['cdi', {}, true, /^fail: .*no device nvidia\.com\/gpu -> .*nvidia-ctk cdi generate/],
    ['runtime', nvidia, false, /^ok: by the runtime nvidia/],
    ['runtime', {}, true, /^fail: .*no runtime named nvidia -> install/],
    ['device-requests', {}, true, /^ok: by device requests/],
    ['device-requests', nvidia, false, /^ok: by device requests/],
    ['device-requests', {}, false, /^warn: .*no sign of Nvidia’s container toolkit -> install/],
    ['auto', { cdi: true }, false, /^ok: by CDI$/],
    ['auto', { apiVersion: '1.39' }, true, /^fail: by the runtime nvidia, .* -> install/],
  ] as const)('gives out a GPU: mode %s, %j, hook %s', (mode, changes, hook, expected) => {
    const need = { mode, hook, wanted: true };
    expect(short(checkGpuAccess(seen({ ...engine, ...changes }), need))).toMatch(expected);
  });

  test('need not give out what is not there', () => {
    for (const mode of ['auto', 'cdi', 'runtime', 'device-requests'] as const)
      expect(checkGpuAccess(seen(engine), { mode, hook: false, wanted: false }).level).not.toBe('fail');
    expect(checkGpuAccess(unseen, { mode: 'auto', hook: true, wanted: true }).level).toBe('warn');
  });
});

describe('GPUs', () => {
  const settings = { cpuSlots: 0, askPrice: undefined, gpu: () => TERMS };
  const judged = (changes: Partial<Gpu>, cards: readonly string[] = ['0000:01:00.0']) =>
    checkGpus({ gpus: seen([{ ...GPU, ...changes }]), cards, catalogue: seen([RTX_3090]) }, settings).map(
      (line) => `${line.check} ${short(line)}`,
    );

  test('are told with their entries, whatever their price', () => {
    expect(judged({})).toEqual([
      'driver ok: 550.1, 1 GPU',
      `gpu 0 ok: ${MODEL} (GPU-0a1b2c3d), 24576 MiB, 40 °C, 20 W`,
      'gpu 0 entry ok: Nvidia GeForce RTX 3090 24GB (rtx3090), 2 slots',
    ]);
  });

  test('that are not well, or in MIG mode without slices, fail', () => {
    expect(judged({ fault: 'it says “GPU is lost”' }).at(-1)).toMatch(/^gpu 0 fail: .*lost.* -> /);
    expect(judged({ migMode: true }).at(-1)).toMatch(/^gpu 0 entry fail: .* -> .*nvidia-smi mig -i 0 -cgi/);
    expect(judged({ model: 'NVIDIA X' }).at(-1)).toMatch(
      /^gpu 0 entry fail: .*\[gpu\."NVIDIA X"\] catalogue/,
    );
  });

  test('that the driver does not show are warned of', () => {
    expect(judged({}, ['0000:01:00.0', '0000:02:00.0'])[1]).toMatch(
      /^driver warn: 2 Nvidia cards .*0000:02:00\.0.* shows 1 -> /,
    );
  });

  test('that have no driver are told by where they sit', () => {
    const gone = { gpus: unseen, cards: ['0000:01:00.0'], catalogue: unseen };
    expect(checkGpus(gone, settings).map(short)).toEqual([
      'fail: it broke; this host has 1 Nvidia card (0000:01:00.0) without a working driver -> hint it; or offer CPU jobs by --cpu-slots',
    ]);
    expect(checkGpus({ ...gone, cards: [] }, { ...settings, cpuSlots: 1 }).map(short)).toEqual([
      'warn: it broke; only CPU jobs are offered -> hint it',
    ]);
  });

  test('have no line each where the catalogue is empty, but one for all', () => {
    const gpus = seen([GPU, { ...GPU, index: 1 }]);
    const lines = checkGpus({ gpus, cards: [], catalogue: seen([]) }, settings);
    expect(lines.filter(({ level }) => level === 'fail').map(short)).toEqual([
      'fail: no GPU can be offered, since the broker’s catalogue is empty -> see what the line of the broker says',
    ]);
  });

  test('that are not there, without a word on what to do', () => {
    const gone = {
      gpus: { error: new AgentError('GPU_NONE', 'none', { hint: '' }) },
      cards: [],
      catalogue: unseen,
    };
    expect(checkGpus(gone, settings)[0]?.hint).toMatch(/^install the Nvidia driver; or offer CPU jobs/);
  });

  test('are known here where the broker tells no catalogue', () => {
    const lines = checkGpus({ gpus: seen([GPU]), cards: [], catalogue: unseen }, settings);
    expect(lines.map(({ level }) => level)).toEqual(['ok', 'ok', 'warn']);
  });
});

describe('the host', () => {
  const room = (freeBytes: number) => seen([{ path: '/s', sizeBytes: 500e9, freeBytes }]);

  test.each([
    [50e9, 'ok: 50 GB free of 500 GB at /s'],
    [
      29.9e9,
      'warn: 29.9 GB free of 500 GB at /s: the platform asks for 30 GB -> make room, or use a larger disk',
    ],
    [
      9e9,
      'fail: 9 GB free of 500 GB at /s: below 10 GB no job is taken -> make room, or lower --min-free-disk',
    ],
  ])('with %d bytes of free disk', (free, expected) => {
    expect(checkDiskSpace({ minFreeDisk: 10e9 }, room(free)).map(short)).toEqual([expected]);
  });

  test('with more or less memory', () => {
    expect(checkMemory({ totalBytes: 8.2e9, availableBytes: 1e9 }).level).toBe('ok');
    expect(checkMemory({ totalBytes: 7.9e9, availableBytes: 7e9 }).level).toBe('warn');
    expect(checkMemory(undefined).level).toBe('warn');
  });

  test('with a Node.js', () => {
    expect([checkNode('24.0.0').level, checkNode('22.9.0').level]).toEqual(['ok', 'fail']);
  });

  test('with a state directory', () => {
    const here = { kind: 'here', agent: { kind: 'none' }, openJobs: 1 } as const;
    expect(checkStateDir('/s', seen(here)).level).toBe('ok');
    expect(checkStateDir('/s/t', seen({ kind: 'absent', parent: '/s' })).level).toBe('ok');
    expect(checkStateDir('/s', unseen).level).toBe('fail');
  });
});

describe('a look', () => {
  const patience = { ms: 20, code: 'GPU_PROBE_HUNG', who: 'it', hint: 'wait' } as const;

  test('that never ends is left to itself, and told to end', async () => {
    let told: AbortSignal | undefined;
    const answer = await query(patience, (signal) => {
      told = signal;
      return new Promise(() => undefined);
    });
    expect(answer).toMatchObject({
      error: { code: 'GPU_PROBE_HUNG', message: 'it gave no answer in 0.02 s' },
    });
    expect(told?.aborted).toBe(true);
  });

  test('that throws at once is an answer too', async () => {
    const answer = await query(patience, () => {
      throw new Error('at once');
    });
    expect(answer).toMatchObject({ error: { code: 'INTERNAL', message: 'at once' } });
  });
});

test('warnings leave it ready, a failure does not; colours are for terminals', () => {
  const line = (level: CheckResult['level']) => ({ check: 'c', level, found: 'f', hint: undefined });
  expect(isReady([line('ok'), line('warn')])).toBe(true);
  expect(isReady([line('ok'), line('fail')])).toBe(false);
  const text = (level: CheckResult['level'], colour: boolean) =>
    checkText({ lines: [line(level)], configuration: [] }, { colour, columns: 80 });
  expect(text('fail', false)).not.toContain('\u001b');
  expect(text('fail', true)).toContain('\u001b[31mFAIL\u001b[39m');
});

test('results and hints are wrapped to the terminal, and stay whole', () => {
  const long = 'word '.repeat(40).trim();
  const result: CheckResult = { check: 'docker', level: 'fail', found: long, hint: long };
  const text = checkText({ lines: [result], configuration: [] }, { colour: false, columns: 60 });
  expect(text.split('\n').filter((line) => line.length > 60)).toEqual([]);
  expect(text.match(/word/g)).toHaveLength(80);
});
