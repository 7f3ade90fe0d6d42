import { describe, expect, test } from 'vitest';
import { UNTESTED } from '../../../src/agent/admission/admission.ts';
import { checkAgent } from '../../../src/cli/check/check-agent.ts';
import { checkBroker, checkClock } from '../../../src/cli/check/check-broker.ts';
import { checkPrice, checkToken } from '../../../src/cli/check/check-config.ts';
import { checkEngine } from '../../../src/cli/check/check-engine.ts';
import { checkGpuAccess } from '../../../src/cli/check/check-gpu-access.ts';
import { checkGpus, checkKernelLog } from '../../../src/cli/check/check-gpus.ts';
import {
  checkDisks,
  checkHost,
  checkMemory,
  checkNode,
  checkStateDir,
} from '../../../src/cli/check/check-host.ts';
import type { CheckResult } from '../../../src/cli/check/check-result.ts';
import { checkJson, checkText, isReady } from '../../../src/cli/check/render.ts';
import { query } from '../../../src/cli/query.ts';
import { AgentError } from '../../../src/domain/errors.ts';
import type { Gpu, GpuNotice } from '../../../src/domain/gpu.ts';
import { imagePlatform } from '../../../src/domain/image-platform.ts';
import type { GpuTerms } from '../../../src/domain/plan-offers.ts';
import { JETSON_FAULT } from '../../../src/domain/platform.ts';
import type { GpuMode } from '../../../src/runtime/docker/container/gpu-injection.ts';
import type { EngineFacts } from '../../../src/runtime/docker/engine/facts.ts';
import { aPage } from '../../support/cli/page.ts';

const seen = <T>(value: T) => ({ value, ms: 7 });
const unseen = { error: new AgentError('INTERNAL', 'it broke', { hint: 'fix it' }) };
/** `warn with a hint` */
const verdict = ({ level, hint }: CheckResult) => (hint === undefined ? level : `${level} with a hint`);

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

describe('the clocks', () => {
  const offset = (ms: number) => checkClock(seen({ brokerMs: 1e12 + ms, localMs: 1e12 }));

  test.each([
    [0, 'ok'],
    [-1400, 'ok'],
    [5000, 'ok'],
    [-30_000, 'ok'],
    [31_000, 'warn with a hint'],
    [-600_000, 'warn with a hint'],
    [7_500_000, 'warn with a hint'],
  ])('with an offset of %d ms: %s', (ms, expected) => {
    expect(verdict(offset(ms))).toBe(expected);
  });

  test('an offset of whole quarters of an hour may be a time zone', () => {
    const hints = [7_500_000, 7_200_000, -19_790_000].map((ms) => offset(ms).hint);
    const [clock] = hints;
    expect(hints.map((hint) => hint === clock)).toEqual([true, false, false]);
  });

  test('are not compared where the broker sends no time', () => {
    expect(checkClock(seen(undefined)).level).toBe('warn');
    expect(checkClock(unseen).level).toBe('warn');
  });
});

describe('the running agent', () => {
  const alive = {
    kind: 'alive',
    status: 'offers on the market: 1',
    why: null,
    hint: null,
    degraded: null,
  } as const;

  test.each([
    ['claims jobs', alive, ['ok']],
    ['claims none, and says why', { ...alive, why: 'jobs fail', hint: 'see them' }, ['fail with a hint']],
    ['claims none, and has no hint', { ...alive, why: 'jobs fail' }, ['fail']],
    [
      'has a slow engine',
      { ...alive, degraded: 'Docker is slow', hint: 'find out why' },
      ['warn with a hint'],
    ],
    ['has just started', { ...alive, ...UNTESTED, hint: null }, ['warn']],
    ['hangs', { kind: 'silent' } as const, ['warn with a hint']],
    ['is none', { kind: 'none' } as const, []],
    ['could not be asked', undefined, []],
  ])('%s', (_, health, expected) => {
    expect(checkAgent(health).map(verdict)).toEqual(expected);
  });
});

describe('the token', () => {
  test.each([
    ['40-characters-of-the-broker-0123456789abc', 'ok'],
    ['abc', 'warn with a hint'],
  ])('%s', (secret, expected) => {
    expect(verdict(checkToken(seen({ secret, from: 'file /token' })))).toBe(expected);
  });
});

describe('the broker', () => {
  const refusal = { error: new AgentError('BROKER_UNAUTHORIZED', 'no') };

  test('is up where it only wants a token, and fails where it refuses the one that was sent', () => {
    expect(checkBroker('http://b', refusal, false).level).toBe('ok');
    expect(checkBroker('http://b', refusal, true).level).toBe('fail');
  });

  test('is reported with its URL and response time', () => {
    const { found, level } = checkBroker('http://b', seen([RTX_3090]), true);
    expect(level).toBe('ok');
    expect(found).toMatch(/http:\/\/b.* 7 ms/);
    expect(verdict(checkBroker('http://b', seen([]), true))).toBe('warn with a hint');
    expect(verdict(checkBroker('http://b', unseen, false))).toBe('fail with a hint');
  });
});

describe('the price', () => {
  const own = { model: MODEL.toUpperCase(), askPrice: 0.12, catalogue: undefined, slots: undefined };
  const other = { ...own, model: 'NVIDIA H100' };

  test.each([
    ['one for all', { askPrice: 0.05, gpus: [own], cpuSlots: 1 }, 'ok', /\$0\.05 .*RTX 3090 \$0\.12$/],
    ['one for the model that is here', { askPrice: undefined, gpus: [own], cpuSlots: 0 }, 'ok', /\$0\.12/],
    ['one for another model', { askPrice: undefined, gpus: [other], cpuSlots: 0 }, 'fail', /RTX 3090/],
    ['none for CPU jobs', { askPrice: undefined, gpus: [own], cpuSlots: 1 }, 'fail', /CPU jobs/],
    ['none at all', { askPrice: undefined, gpus: [], cpuSlots: 0 }, 'fail', /./],
  ] as const)('%s', (_, config, level, found) => {
    const result = checkPrice(config, [GPU]);
    expect(result.level).toBe(level);
    expect(result.found).toMatch(found);
    expect(result.hint?.includes('--ask-price') ?? false).toBe(level === 'fail');
  });
});

describe('Docker', () => {
  const engine: EngineFacts = {
    product: 'Docker',
    identity: { id: 'a3f0', dataRoot: '/var/lib/docker' },
    version: '27.0.1',
    rootless: false,
    apiVersion: '1.46',
    runc: '1.2.8',
    os: 'linux',
    platform: imagePlatform('linux', 'amd64'),
    storageDriver: 'overlay2',
    backingFileSystem: 'xfs',
    dataRoot: '/var/lib/docker',
    runtimes: ['runc'],
    gvisor: undefined,
    seccomp: true,
    limits: { memory: true, swap: true, pids: true, cpu: true },
    liveRestore: false,
    cgroupDriver: 'cgroupfs',
    hasProxy: false,
    cdi: { enabled: false, devices: undefined },
  };

  const needs = { acceptNoSeccomp: false, gpuMode: 'auto', runtime: 'runc' } as const;

  test('is reported with its versions, and fails without seccomp', () => {
    const { found, level } = checkEngine(seen(engine), needs);
    expect(level).toBe('ok');
    for (const fact of ['27.0.1', '1.2.8', 'overlay2']) expect(found).toContain(fact);
    expect(verdict(checkEngine(seen({ ...engine, seccomp: false }), needs))).toBe('fail with a hint');
    expect(verdict(checkEngine(unseen, needs))).toBe('fail with a hint');
  });

  test('is named as what it is: too old, Podman, or without root', () => {
    expect(verdict(checkEngine(seen({ ...engine, apiVersion: '1.40' }), needs))).toBe('fail with a hint');
    const podman = checkEngine(seen({ ...engine, product: 'Podman' }), needs);
    expect(verdict(podman)).toBe('fail with a hint');
    expect(podman.found).toContain('Podman 27.0.1');
    expect(verdict(checkEngine(seen({ ...engine, rootless: true }), needs))).toBe('warn with a hint');
  });

  test('fails without the runtime that the owner wants for jobs', () => {
    const runsc = { ...needs, runtime: 'runsc' };
    expect(verdict(checkEngine(seen(engine), runsc))).toBe('fail with a hint');
    const both = checkEngine(seen({ ...engine, runtimes: ['runc', 'runsc'] }), runsc);
    expect(both.level).toBe('ok');
    expect(both.found).toContain('runsc');
  });

  const nvidia = { runtimes: ['runc', 'nvidia'] };
  const listing = (...ids: readonly string[]) => {
    return { cdi: { enabled: true, devices: ids.map((id) => `nvidia.com/gpu=${id}`) } };
  };
  const access = (
    mode: GpuMode,
    changes: Partial<EngineFacts>,
    hook: boolean,
    gpus: readonly Gpu[] = [GPU],
  ) => checkGpuAccess(seen({ ...engine, ...changes }), { mode, runtime: 'runc', hook, gpus });
  test.each([
    ['cdi', listing(GPU.uuid), false, 'ok', /CDI/],
    ['cdi', listing('all', '0'), true, 'fail with a hint', /CDI/],
    ['cdi', {}, true, 'fail with a hint', /CDI/],
    ['runtime', nvidia, false, 'ok', /runtime nvidia/],
    ['runtime', {}, true, 'fail with a hint', /runtime nvidia/],
    ['device-requests', {}, true, 'ok', /device requests/],
    ['device-requests', nvidia, false, 'warn with a hint', /device requests/],
    ['device-requests', {}, false, 'warn with a hint', /device requests/],
    ['auto', listing(GPU.uuid), false, 'ok', /^CDI for GPU 0$/],
    ['auto', listing('all', '0'), true, 'warn with a hint', /device requests/],
    ['auto', listing(), true, 'ok', /device requests/],
    // As in WSL2.
    ['auto', listing('all'), true, 'ok', /device requests/],
    ['auto', { cdi: { enabled: true, devices: undefined } }, true, 'ok', /device requests/],
  ] as const)('gives a GPU: mode %s, %j, hook %s: %s', (mode, changes, hook, expected, found) => {
    const [result, ...more] = access(mode, changes, hook);
    expect(more).toEqual([]);
    expect(result && verdict(result)).toBe(expected);
    expect(result?.found).toMatch(found);
  });

  test('gives each GPU in its own way, and names what a stale spec has', () => {
    const other = { ...GPU, index: 1, uuid: 'GPU-00000000-0000-4000-8000-000000000001' };
    const results = access('auto', listing('all', GPU.uuid), true, [GPU, other]);
    expect(results.map(verdict)).toEqual(['ok', 'warn with a hint']);
    const [, stale] = results;
    expect(stale?.found).toContain('GPU 1');
    for (const part of [other.uuid, GPU.uuid, 'nvidia-ctk cdi generate']) expect(stale?.hint).toContain(part);
  });

  test('warns where a reload of systemd takes GPUs away, and names CDI', () => {
    const driver = { cgroupDriver: 'systemd' };
    const [, reload, ...more] = access('auto', driver, true);
    expect(more).toEqual([]);
    expect(reload && verdict(reload)).toBe('warn with a hint');
    expect(reload?.hint).toContain('nvidia-ctk cdi generate');
    expect(access('auto', { ...driver, ...listing(GPU.uuid) }, true)).toHaveLength(1);
    expect(access('auto', driver, true, [])).toHaveLength(1);
  });

  test('gives MIG slices by their own uuids', () => {
    const slices = [{ uuid: 'MIG-1', profile: '1g.18gb' }];
    const [result] = access('auto', listing('MIG-1'), false, [{ ...GPU, migMode: true, slices }]);
    expect(result).toMatchObject({ level: 'ok', found: 'CDI for GPU 0 (1g.18gb)' });
  });

  test('need not give a GPU where there is none', () => {
    for (const mode of ['auto', 'cdi', 'runtime', 'device-requests'] as const)
      expect(access(mode, {}, false, []).map(({ level }) => level)).not.toContain('fail');
    const need = { mode: 'auto', runtime: 'runc', hook: true, gpus: [GPU] } as const;
    expect(checkGpuAccess(unseen, need).map(({ level }) => level)).toEqual(['warn']);
  });
});

describe('the kernel log', () => {
  test('is a warning where it cannot be read, but not under WSL, where it has no Xids', () => {
    expect(checkKernelLog(unseen).level).toBe('warn');
    expect(checkKernelLog(unseen, 'wsl2').level).toBe('ok');
    expect(checkKernelLog({ value: undefined, ms: 1 }).level).toBe('ok');
  });
});

describe('GPUs', () => {
  const settings = { cpuSlots: 0, askPrice: undefined, gpu: () => TERMS };
  const read = (gpus: readonly Gpu[], notices: readonly GpuNotice[] = []) => seen({ gpus, notices });
  const checked = (changes: Partial<Gpu>, cards: readonly string[] = ['0000:01:00.0']) =>
    checkGpus({ reading: read([{ ...GPU, ...changes }]), cards, catalogue: seen([RTX_3090]) }, settings);
  const verdicts = (results: readonly CheckResult[]) =>
    results.map((result) => `${result.check}: ${verdict(result)}`);

  test('are reported with their entries, whatever their price', () => {
    const results = checked({});
    expect(verdicts(results)).toEqual([
      'driver: ok',
      'gpu 0: ok',
      'gpu 0 entry: ok',
      'gpu 0 slots: warn with a hint',
    ]);
    const [driver, gpu, entry] = results.map(({ found }) => found);
    expect(driver).toContain('550.1');
    for (const fact of [MODEL, 'GPU-0a1b2c3d', '24576 MiB', '40 °C', '20 W']) expect(gpu).toContain(fact);
    for (const fact of [RTX_3090.name, 'rtx3090', '2 slots']) expect(entry).toContain(fact);
  });

  test('with a fault, without MIG slices or without an entry fail', () => {
    expect(verdicts(checked({ fault: 'it is lost' })).at(-1)).toBe('gpu 0: fail with a hint');
    expect(verdicts(checked({ migMode: true })).at(-1)).toBe('gpu 0 entry: fail with a hint');
    const unknown = checked({ model: 'NVIDIA X' }).at(-2);
    expect(unknown?.level).toBe('fail');
    expect(unknown?.hint).toContain('[gpu."NVIDIA X"] catalogue');
  });

  test('on a Jetson fail, unless CPU jobs are offered', () => {
    const jetson = { ...GPU, fault: JETSON_FAULT.why, faultHint: JETSON_FAULT.hint };
    const host = { reading: read([jetson]), cards: [], catalogue: seen([RTX_3090]) };
    expect(verdicts(checkGpus(host, settings)).at(-1)).toBe('gpu 0: fail with a hint');
    expect(verdicts(checkGpus(host, { ...settings, cpuSlots: 1 })).at(-1)).toBe('gpu 0: warn with a hint');
  });

  test('with several slots each, or one process at a time, are a warning', () => {
    const two = { ...settings, gpu: () => ({ ...TERMS, slots: 2 }) };
    const host = (gpu: Gpu) => ({ reading: read([gpu]), cards: [], catalogue: seen([RTX_3090]) });
    expect(verdicts(checkGpus(host(GPU), two)).at(-1)).toBe('gpu 0 slots: warn with a hint');
    const results = checkGpus(host({ ...GPU, exclusive: true }), two);
    expect(results.at(-2)?.found).toContain('1 slot');
    expect(results.at(-1)?.hint).toContain('nvidia-smi -c 0 -i 0');
  });

  test('show every other line of nvidia-smi, and what is odd about one that works', () => {
    const notice = { text: 'GPU 0000:02:00.0: GPU is lost', hint: 'reboot', busId: '0000:02:00.0' };
    const warnings = [{ why: 'a memory repair is pending', hint: 'reboot' }];
    const reading = read([{ ...GPU, warnings }], [notice]);
    const results = checkGpus({ reading, cards: [], catalogue: seen([]) }, settings);
    expect(verdicts(results)).toEqual([
      'driver: ok',
      'nvidia-smi: warn with a hint',
      'gpu 0: ok',
      'gpu 0: warn with a hint',
      'gpu 0 slots: warn with a hint',
      'gpu entries: fail with a hint',
    ]);
    expect(results[1]?.found).toContain(notice.text);
  });

  test('that the driver does not show are a warning', () => {
    const results = checked({}, ['0000:01:00.0', '0000:02:00.0']);
    expect(verdicts(results)[1]).toBe('driver: warn with a hint');
    expect(results[1]?.found).toContain('0000:02:00.0');
  });

  test('without a driver are reported by their PCI addresses', () => {
    const gone = { reading: unseen, cards: ['0000:01:00.0'], catalogue: unseen };
    const [result, ...more] = checkGpus(gone, settings);
    expect(more).toEqual([]);
    expect(result?.level).toBe('fail');
    expect(result?.found).toContain('0000:01:00.0');
    expect(result?.hint).toContain('--cpu-slots');
    expect(verdicts(checkGpus({ ...gone, cards: [] }, { ...settings, cpuSlots: 1 }))).toEqual([
      'driver: warn with a hint',
    ]);
  });

  test('fail together where the catalogue is empty', () => {
    const reading = read([GPU, { ...GPU, index: 1 }]);
    const results = checkGpus({ reading, cards: [], catalogue: seen([]) }, settings);
    expect(verdicts(results.filter(({ level }) => level === 'fail'))).toEqual([
      'gpu entries: fail with a hint',
    ]);
  });

  test('that are missing have a hint even if the error has none', () => {
    const error = new AgentError('GPU_NONE', 'none', { hint: '' });
    const [result] = checkGpus({ reading: { error }, cards: [], catalogue: unseen }, settings);
    expect(result?.hint).toContain('--cpu-slots');
  });

  test('are reported where the catalogue could not be read', () => {
    const results = checkGpus({ reading: read([GPU]), cards: [], catalogue: unseen }, settings);
    expect(verdicts(results)).toEqual([
      'driver: ok',
      'gpu 0: ok',
      'gpu 0 slots: warn with a hint',
      'gpu entries: warn',
    ]);
  });
});

describe('the host', () => {
  test.each([
    [50e9, 'ok'],
    [29.9e9, 'warn with a hint'],
    [9e9, 'fail with a hint'],
  ])('with %d bytes of free disk space: %s', (freeBytes, expected) => {
    const fileSystem = { path: '/s', sizeBytes: 500e9, freeBytes, freeInodes: 0.5 };
    const [result, ...more] = checkDisks({ minFreeDisk: 10e9 }, seen([fileSystem]));
    expect(more).toEqual([]);
    expect(result && verdict(result)).toBe(expected);
    expect(result?.found).toContain('/s');
  });

  test.each([
    [1, ['ok']],
    [0.11, ['ok']],
    [0.09, ['ok', 'warn with a hint']],
    [0.049, ['ok', 'fail with a hint']],
    [0, ['ok', 'fail with a hint']],
  ])('with %d of its inodes free: %j', (freeInodes, expected) => {
    const fileSystem = { path: '/s', sizeBytes: 500e9, freeBytes: 50e9, freeInodes };
    expect(checkDisks({ minFreeDisk: 10e9 }, seen([fileSystem])).map(verdict)).toEqual(expected);
  });

  test('with more or less memory', () => {
    expect(checkMemory({ totalBytes: 8.2e9, availableBytes: 1e9 }).level).toBe('ok');
    expect(verdict(checkMemory({ totalBytes: 7.9e9, availableBytes: 7e9 }))).toBe('warn with a hint');
    expect(checkMemory(undefined).level).toBe('warn');
  });

  test('with its operating system, CPU and virtualization', () => {
    const facts = {
      os: 'Debian 12',
      cpu: { model: 'EPYC', cores: 16 },
      memory: undefined,
      virtualization: 'KVM',
      nvidiaCards: [],
    };
    const { found, level } = checkHost(facts);
    expect(level).toBe('ok');
    for (const fact of ['Debian 12', 'EPYC', '16', 'KVM']) expect(found).toContain(fact);
    const nothing = { ...facts, os: undefined, cpu: undefined, virtualization: undefined };
    expect(checkHost(nothing).level).toBe('warn');
  });

  test('with a Node.js', () => {
    expect([checkNode('24.0.0').level, checkNode('22.9.0').level]).toEqual(['ok', 'fail']);
  });

  test('with a state directory, used or absent', () => {
    const here = { kind: 'here', agent: { kind: 'here', pid: 4711, phase: 'working' }, openJobs: 1 } as const;
    expect(checkStateDir('/s', seen(here))).toMatchObject({ level: 'ok' });
    expect(checkStateDir('/s', seen(here)).found).toContain('4711');
    expect(checkStateDir('/s/t', seen({ kind: 'absent', parent: '/s' })).level).toBe('ok');
    expect(checkStateDir('/s', unseen).level).toBe('fail');
  });
});

describe('a query', () => {
  const limits = { ms: 20, code: 'GPU_PROBE_HUNG', who: 'it', hint: 'wait' } as const;

  test('that does not end is aborted at its deadline', async () => {
    let given: AbortSignal | undefined;
    const answer = await query(limits, (signal) => {
      given = signal;
      return new Promise(() => undefined);
    });
    expect(answer).toMatchObject({ error: { code: 'GPU_PROBE_HUNG', hint: 'wait' } });
    expect(given?.aborted).toBe(true);
  });

  test('that throws at once has its error as the result', async () => {
    const answer = await query(limits, () => {
      throw new Error('at once');
    });
    expect(answer).toMatchObject({ error: { code: 'INTERNAL', message: 'at once' } });
  });
});

test('warnings leave it ready, a failure does not; colours are for terminals', () => {
  const result = (level: CheckResult['level']) => ({ check: 'c', level, found: 'f', hint: undefined });
  expect(isReady([result('ok'), result('warn')])).toBe(true);
  expect(isReady([result('ok'), result('fail')])).toBe(false);
  const text = (level: CheckResult['level'], colour: boolean) =>
    checkText({ results: [result(level)], configuration: [] }, { colour, ...aPage(80) });
  expect(text('fail', false)).not.toContain('\u001b');
  expect(text('fail', true)).toContain('\u001b[31mFAIL\u001b[39m');
});

test('results and hints are wrapped to the terminal, and stay whole', () => {
  const long = 'word '.repeat(40).trim();
  const result: CheckResult = { check: 'docker', level: 'fail', found: long, hint: long };
  const text = checkText({ results: [result], configuration: [] }, { colour: false, ...aPage(60) });
  expect(text.split('\n').filter((line) => line.length > 60)).toEqual([]);
  expect(text.match(/word/g)).toHaveLength(80);
});

test('a hint that several results have is shown once, and each has it in JSON', () => {
  const result: CheckResult = { check: 'docker', level: 'fail', found: 'f', hint: 'start it' };
  const checked = { results: [result, { ...result, check: 'job network' }], configuration: [] };
  expect(checkText(checked, { colour: false, ...aPage(60) }).match(/start it/g)).toHaveLength(1);
  expect(checkJson(checked).match(/start it/g)).toHaveLength(2);
});
