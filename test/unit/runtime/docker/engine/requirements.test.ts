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
  ] as const)('of %j is fit where %j is wanted', (changes, wanted) => {
    expect(unmetRequirement(facts(changes), { ...needs, ...wanted })).toBeUndefined();
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
    expect(unmetRequirement(facts(changes), { ...needs, ...wanted })?.why).toContain(why);
  });
});
