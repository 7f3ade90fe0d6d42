import { describe, expect, test } from 'vitest';
import { describeFacts, readFacts } from '../../../src/runtime/docker/engine-facts.ts';
import { type EngineNeeds, whyUnfit } from '../../../src/runtime/docker/fitness.ts';
import { gpuWay } from '../../../src/runtime/docker/gpu-access.ts';

const info = {
  Driver: 'overlay2',
  DriverStatus: [['Backing Filesystem', 'xfs']],
  SecurityOptions: ['name=seccomp,profile=default'],
  Runtimes: { runc: {}, nvidia: {} },
  MemoryLimit: true,
  SwapLimit: true,
  PidsLimit: true,
  CpuCfsQuota: true,
  OSType: 'linux',
};
const version = {
  Version: '20.10.24+dfsg1',
  ApiVersion: '1.41',
  Components: [{ Name: 'runc', Version: '1.1.5+ds1' }],
};
const facts = (changes: object = {}, versionChanges: object = {}) =>
  readFacts({ ...info, ...changes }, { ...version, ...versionChanges });

describe('an engine', () => {
  test('is described in a line', () => {
    expect(describeFacts(facts())).toBe('Docker 20.10.24, runc 1.1.5, overlay2');
    expect(describeFacts(facts({ SwapLimit: false }, { Components: null }))).toBe(
      'Docker 20.10.24, runc of unknown version, overlay2, swap cannot be limited',
    );
  });

  test('keeps what jobs write in its own directory, or in containerd’s', () => {
    const DockerRootDir = '/data/docker';
    expect(facts({ DockerRootDir }).dataRoot).toBe('/data/docker');
    const DriverStatus = [['driver-type', 'io.containerd.snapshotter.v1']];
    expect(facts({ DockerRootDir, DriverStatus }).dataRoot).toBe('/var/lib/containerd');
  });

  const needs: EngineNeeds = { acceptNoSeccomp: false, gpuMode: 'auto', runtime: 'runc' };

  test.each([
    [{}, {}],
    [{}, { gpuMode: 'runtime' }],
    [{ SecurityOptions: ['name=apparmor', 'name=seccomp,profile=builtin'] }, {}],
    [{ SecurityOptions: null }, { acceptNoSeccomp: true }],
    [{ Runtimes: { runc: {}, runsc: {} } }, { runtime: 'runsc' }],
  ] as const)('of %j is fit where %j is wanted', (changes, wanted) => {
    expect(whyUnfit(facts(changes), { ...needs, ...wanted })).toBeUndefined();
  });

  test.each([
    ['without seccomp', { SecurityOptions: ['name=apparmor'] }, {}, 'seccomp'],
    ['with seccomp off', { SecurityOptions: ['name=seccomp,profile=unconfined'] }, {}, 'seccomp'],
    ['that tells no security at all', { SecurityOptions: null }, {}, 'seccomp'],
    ['without two of its limits', { PidsLimit: false, MemoryLimit: undefined }, {}, 'memory, pids'],
    ['of Windows', { OSType: 'windows' }, {}, 'windows'],
    ['without the runtime of jobs', {}, { runtime: 'runsc' }, 'no runtime named runsc'],
    [
      'without the runtime of GPUs',
      { Runtimes: { runc: {} } },
      { gpuMode: 'runtime' },
      'no runtime named nvidia',
    ],
    [
      'that gives GPUs by another runtime than that of jobs',
      { Runtimes: { runc: {}, runsc: {}, nvidia: {} } },
      { runtime: 'runsc', gpuMode: 'runtime' },
      'takes the place of runsc',
    ],
  ] as const)('%s is unfit', (_, changes, wanted, why) => {
    expect(whyUnfit(facts(changes), { ...needs, ...wanted })?.why).toContain(why);
  });

  test.each([[undefined], [null], ['OK'], [{}], [[]]])('cannot be what answers %j', (answer) => {
    expect(() => readFacts(answer, version)).toThrow('is not a Docker engine');
    expect(() => readFacts(info, answer)).toThrow('is not a Docker engine');
  });
});

test.each([
  ['1.41', {}, 'device-requests'],
  ['1.40', {}, 'device-requests'],
  ['1.39', {}, 'runtime'],
  ['2.0', {}, 'device-requests'],
  ['1.44', { CDISpecDirs: ['/etc/cdi'] }, 'cdi'],
  ['1.44', { CDISpecDirs: [] }, 'device-requests'],
  ['1.50', { CDISpecDirs: ['/etc/cdi'], DiscoveredDevices: [] }, 'device-requests'],
  [
    '1.50',
    { CDISpecDirs: ['/etc/cdi'], DiscoveredDevices: [{ ID: 'nvidia.com/gpu=all' }] },
    'device-requests',
  ],
  ['1.50', { CDISpecDirs: ['/etc/cdi'], DiscoveredDevices: [{ ID: 'nvidia.com/gpu=GPU-1' }] }, 'cdi'],
])('with API %s and %j, auto means %s', (ApiVersion, changes, way) => {
  const read = facts(changes, { ApiVersion });
  expect(gpuWay('auto', read)).toBe(way);
  expect(gpuWay('runtime', read)).toBe('runtime');
});
