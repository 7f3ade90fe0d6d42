import { describe, expect, test } from 'vitest';
import { AgentError } from '../../../../../src/domain/errors.ts';
import { gpuInjectionCandidates } from '../../../../../src/runtime/docker/container/gpu-injection.ts';
import { GpuInjector } from '../../../../../src/runtime/docker/container/gpu-injector.ts';
import { facts } from '../../../../support/engine/facts.ts';

const GPU = 'GPU-11111111-2222-3333-4444-555555555555';
const OTHER = 'GPU-00000000-2222-3333-4444-555555555555';

const plain = { Runtimes: { runc: {} } };
const listing = (...ids: readonly string[]) => {
  return { CDISpecDirs: ['/etc/cdi'], DiscoveredDevices: ids.map((id) => ({ ID: `nvidia.com/gpu=${id}` })) };
};

describe('the ways to give a GPU', () => {
  test.each([
    ['1.41', plain, 'runc', ['device-requests']],
    ['1.41', {}, 'runc', ['device-requests', 'runtime']],
    ['1.41', {}, 'runsc', ['device-requests']],
    // Docker 25 to 28.1 cannot say whether a spec has the GPU.
    ['1.44', { CDISpecDirs: ['/etc/cdi'] }, 'runc', ['device-requests', 'cdi', 'runtime']],
    ['1.50', listing(GPU), 'runc', ['cdi', 'device-requests', 'runtime']],
    ['1.50', listing(GPU), 'runsc', ['cdi', 'device-requests']],
    ['1.50', listing('all', '0', OTHER), 'runc', ['device-requests', 'runtime']],
    ['1.50', listing(), 'runc', ['device-requests', 'runtime']],
  ])('with API %s, %j and the runtime %s are %j', (ApiVersion, changes, runtime, candidates) => {
    const known = facts(changes, { ApiVersion });
    expect(gpuInjectionCandidates({ mode: 'auto', runtime }, known, GPU)).toEqual(candidates);
    for (const mode of ['cdi', 'device-requests', 'runtime'] as const)
      expect(gpuInjectionCandidates({ mode, runtime }, known, GPU)).toEqual([mode]);
  });
});

describe('the way of a GPU’s next container', () => {
  const known = facts(listing(GPU, OTHER), { ApiVersion: '1.50' });
  const refused = (message: string) =>
    new AgentError('RUNTIME_FAILED', 'no', { cause: { statusCode: 500, json: { message } } });
  const fault = refused('CDI device injection failed: unresolvable CDI devices');

  test('is the next candidate after a failure of this GPU, and the first again after all failed', () => {
    const injector = new GpuInjector({ mode: 'auto', runtime: 'runc' });
    const ways = Array.from({ length: 4 }, () => {
      const injected = injector.choose(GPU, known, true);
      expect(injector.fault(injected, fault)?.code).toBe('GPU_INJECTION_FAILED');
      return injected?.injection;
    });
    expect(ways).toEqual(['cdi', 'device-requests', 'runtime', 'cdi']);
    expect(injector.choose(OTHER, known, true)?.injection).toBe('cdi');
  });

  test('stays after a failure of an image that is not the agent’s own', () => {
    const injector = new GpuInjector({ mode: 'auto', runtime: 'runc' });
    injector.created('job', injector.choose(GPU, known, false));
    expect(injector.startFault('job', fault)?.code).toBe('GPU_INJECTION_FAILED');
    expect(injector.choose(GPU, known, false)?.injection).toBe('cdi');
    injector.fault(injector.choose(GPU, known, true), fault);
    expect(injector.choose(GPU, known, false)?.injection).toBe('device-requests');
  });

  test('stays after other failures', () => {
    const injector = new GpuInjector({ mode: 'auto', runtime: 'runc' });
    injector.created('c', injector.choose(GPU, known, true));
    expect(injector.startFault('c', refused('no space left on device'))).toBeUndefined();
    expect(injector.choose(GPU, known, true)?.injection).toBe('cdi');
  });

  test('is chosen again once the engine’s CDI devices change', () => {
    const injector = new GpuInjector({ mode: 'auto', runtime: 'runc' });
    const stale = facts(listing('all'), { ApiVersion: '1.50' });
    injector.created('c', injector.choose(GPU, stale, true));
    injector.startFault('c', fault);
    expect(injector.choose(GPU, stale, true)?.injection).toBe('runtime');
    expect(injector.choose(GPU, known, true)?.injection).toBe('cdi');
  });

  test('concerns only containers with a GPU', () => {
    const injector = new GpuInjector({ mode: 'auto', runtime: 'runc' });
    const injected = injector.choose(null, known, true);
    injector.created('c', injected);
    expect(injected).toBeUndefined();
    expect(injector.fault(injected, fault)).toBeUndefined();
    expect(injector.startFault('c', fault)).toBeUndefined();
  });
});
