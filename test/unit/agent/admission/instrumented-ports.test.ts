import { expect, test } from 'vitest';
import { instrumentRuntime } from '../../../../src/agent/admission/instrumented-ports.ts';
import { RunningContainers } from '../../../../src/agent/admission/running-containers.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
import type { Runtime } from '../../../../src/domain/ports/runtime.ts';
import { withOther } from '../../../support/agent/with-other.ts';
import { rejection } from '../../../support/engine/rejection.ts';
import { Bench } from '../../../support/runtime-process/fixture.ts';

test('a container is removed, and not found missing, only on the engine of the jobs', async () => {
  const removed: string[] = [];
  let isElsewhere = true;
  const confirmIfDoubtful = async (): Promise<void> => {
    if (isElsewhere) throw new AgentError('ENGINE_CHANGED', 'another engine answers');
  };
  const runtime = instrumentRuntime(
    withOther(new Bench().runtime, { remove: async (id) => void removed.push(id) }),
    {
      latency: { time: (_, call) => call },
      containers: new RunningContainers(),
      binding: { confirm: confirmIfDoubtful, confirmIfDoubtful },
    },
  );
  expect((await rejection(runtime.remove('c1'))).code).toBe('ENGINE_CHANGED');
  expect(removed).toEqual([]);
  isElsewhere = false;
  await runtime.remove('c1');
  expect(removed).toEqual(['c1']);
});

test('an engine that does not answer for its images is recorded as unwell', async () => {
  const failures: string[] = [];
  const down = (): Promise<never> => Promise.reject(new AgentError('RUNTIME_UNAVAILABLE', 'no answer'));
  const image = { id: 'sha256:1', names: [], layers: [], hasContainer: false };
  const runtime = instrumentRuntime(
    withOther<Runtime>(new Bench().runtime, { imageStore: { list: down, remove: down } }),
    {
      latency: { time: (_, call) => call },
      containers: new RunningContainers(),
      health: { recordFailure: ({ code }) => void failures.push(code), recordSuccess: () => undefined },
    },
  );
  const signal = AbortSignal.timeout(1_000);
  await rejection(runtime.imageStore?.list(signal) ?? Promise.resolve());
  await rejection(runtime.imageStore?.remove(image, signal) ?? Promise.resolve());
  expect(failures).toEqual(['RUNTIME_UNAVAILABLE', 'RUNTIME_UNAVAILABLE']);
  expect(
    instrumentRuntime(new Bench().runtime, {
      latency: { time: (_, call) => call },
      containers: new RunningContainers(),
    }),
  ).not.toHaveProperty('imageStore');
});
