import { describe, expect, test } from 'vitest';
import { chooseGpuInjection } from '../../../../../src/runtime/docker/container/gpu-injection.ts';
import { describeFacts, readFacts } from '../../../../../src/runtime/docker/engine/facts.ts';
import { facts, INFO, VERSION } from '../../../../support/engine/facts.ts';

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

  test.each([[undefined], [null], ['OK'], [{}], [[]]])('cannot be what answers %j', (answer) => {
    expect(() => readFacts(answer, VERSION)).toThrow('is not a Docker engine');
    expect(() => readFacts(INFO, answer)).toThrow('is not a Docker engine');
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
  expect(chooseGpuInjection('auto', read)).toBe(way);
  expect(chooseGpuInjection('runtime', read)).toBe('runtime');
});
