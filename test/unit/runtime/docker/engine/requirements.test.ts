import { describe, expect, test } from 'vitest';
import { type EngineNeeds, unmetRequirement } from '../../../../../src/runtime/docker/engine/requirements.ts';
import { facts } from '../../../../support/engine/facts.ts';

describe('an engine', () => {
  const needs: EngineNeeds = { acceptNoSeccomp: false, gpuMode: 'auto', runtime: 'runc' };

  test.each([
    [{}, {}],
    [{}, { gpuMode: 'runtime' }],
    [{ SecurityOptions: ['name=apparmor', 'name=seccomp,profile=builtin'] }, {}],
    [{ SecurityOptions: null }, { acceptNoSeccomp: true }],
    [{ Runtimes: { runc: {}, runsc: {} } }, { runtime: 'runsc' }],
  ] as const)('with %j meets the requirements %j', (changes, wanted) => {
    expect(unmetRequirement(facts(changes), { ...needs, ...wanted })).toBeUndefined();
  });

  test.each([
    ['without seccomp', { SecurityOptions: ['name=apparmor'] }, {}, 'seccomp'],
    ['with seccomp off', { SecurityOptions: ['name=seccomp,profile=unconfined'] }, {}, 'seccomp'],
    ['without security options', { SecurityOptions: null }, {}, 'seccomp'],
    ['without two of its limits', { PidsLimit: false, MemoryLimit: undefined }, {}, 'limits'],
    ['for Windows containers', { OSType: 'windows' }, {}, 'linux'],
    ['without the runtime of jobs', {}, { runtime: 'runsc' }, 'oci-runtime'],
    ['without the runtime of GPUs', { Runtimes: { runc: {} } }, { gpuMode: 'runtime' }, 'oci-runtime'],
    [
      'that injects GPUs with another runtime than that of jobs',
      { Runtimes: { runc: {}, runsc: {}, nvidia: {} } },
      { runtime: 'runsc', gpuMode: 'runtime' },
      'gpu-injection',
    ],
  ] as const)('%s does not meet the requirements', (_, changes, wanted, requirement) => {
    expect(unmetRequirement(facts(changes), { ...needs, ...wanted })?.requirement).toBe(requirement);
  });

  test.each([
    [{ Version: '19.03.15', ApiVersion: '1.40' }, 'version'],
    [{ Version: '1.13.1', ApiVersion: '1.26' }, 'version'],
    [{ Version: '20.10.0', ApiVersion: '1.41' }, undefined],
    [{ Version: '29.0.0', ApiVersion: '1.52' }, undefined],
    [
      { Version: '5.4.2', ApiVersion: '1.41', Components: [{ Name: 'Podman Engine', Version: '5.4.2' }] },
      'product',
    ],
  ])('that is %j has the unmet requirement %s', (version, requirement) => {
    const unmet = unmetRequirement(facts({}, version), needs);
    expect(unmet?.requirement).toBe(requirement);
    if (unmet !== undefined) expect(unmet.why).toContain(version.Version);
  });

  test('without root has a hint of its own for limits that it cannot set', () => {
    const [hint, rootless] = [[], ['name=seccomp', 'name=rootless', 'name=cgroupns']].map(
      (more) =>
        unmetRequirement(facts({ PidsLimit: false, SecurityOptions: ['name=seccomp', ...more] }), needs)
          ?.hint,
    );
    expect(rootless).toContain('Delegate=');
    expect(hint).not.toBe(rootless);
  });
});
