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
});
