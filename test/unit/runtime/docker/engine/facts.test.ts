import { describe, expect, test } from 'vitest';
import { describeFacts, readFacts } from '../../../../../src/runtime/docker/engine/facts.ts';
import { facts, INFO, VERSION } from '../../../../support/engine/facts.ts';

describe('an engine', () => {
  test('is described in one line', () => {
    expect(describeFacts(facts())).toBe('Docker 20.10.24, runc 1.1.5, overlay2');
    expect(describeFacts(facts({ SwapLimit: false }, { Components: null }))).toBe(
      'Docker 20.10.24, runc of unknown version, overlay2, swap cannot be limited',
    );
  });

  test.each([
    [{}, {}, 'Docker 20.10.24, runc 1.1.5, overlay2'],
    [{ OperatingSystem: 'Docker Desktop' }, {}, 'Docker Desktop 20.10.24, runc 1.1.5, overlay2'],
    [{ SecurityOptions: ['name=rootless'] }, {}, 'Docker 20.10.24, runc 1.1.5, overlay2, rootless'],
    [
      {},
      { Version: '4.3.1', Components: [{ Name: 'Podman Engine', Version: '4.3.1' }] },
      'Podman 4.3.1, runc of unknown version, overlay2',
    ],
  ])('is named as what it is: %j %j', (info, version, described) => {
    expect(describeFacts(facts(info, version))).toBe(described);
  });

  test('that is a Podman whose info cannot be read is still named', () => {
    const podman = {
      ...VERSION,
      Version: '3.0.1',
      Components: [{ Name: 'Podman Engine', Version: '3.0.1' }],
    };
    const named = expect.objectContaining({
      message: expect.stringContaining('Podman 3.0.1') as unknown,
    }) as unknown;
    expect(() => readFacts({}, podman)).toThrow(named);
  });

  test('keeps containers in its own directory, or in containerd’s with containerd’s image store', () => {
    const DockerRootDir = '/data/docker';
    expect(facts({ DockerRootDir }).dataRoot).toBe('/data/docker');
    const DriverStatus = [['driver-type', 'io.containerd.snapshotter.v1']];
    expect(facts({ DockerRootDir, DriverStatus }).dataRoot).toBe('/var/lib/containerd');
  });

  test.each([[undefined], [null], ['OK'], [{}], [[]]])('is not a server that answers %j', (answer) => {
    const unavailable = expect.objectContaining({ code: 'RUNTIME_UNAVAILABLE' }) as unknown;
    expect(() => readFacts(answer, VERSION)).toThrow(unavailable);
    expect(() => readFacts(INFO, answer)).toThrow(unavailable);
  });
});

test.each([
  ['1.41', {}, false, undefined],
  ['1.44', { CDISpecDirs: ['/etc/cdi'] }, true, undefined],
  ['1.44', { CDISpecDirs: [] }, false, undefined],
  // An engine that can list devices omits an empty list.
  ['1.50', { CDISpecDirs: ['/etc/cdi'] }, true, []],
  ['1.51', { CDISpecDirs: null, DiscoveredDevices: null }, false, []],
  [
    '1.50',
    { CDISpecDirs: ['/etc/cdi'], DiscoveredDevices: [{ ID: 'nvidia.com/gpu=0' }, { ID: 'x.org/nic=a' }] },
    true,
    ['nvidia.com/gpu=0'],
  ],
])('with API %s and %j, CDI is enabled: %s, with the devices %j', (ApiVersion, changes, enabled, devices) => {
  expect(facts(changes, { ApiVersion }).cdi).toEqual({ enabled, devices });
});
