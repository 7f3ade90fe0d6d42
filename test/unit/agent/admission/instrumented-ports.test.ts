import { expect, test } from 'vitest';
import { instrumentRuntime } from '../../../../src/agent/admission/instrumented-ports.ts';
import { RunningContainers } from '../../../../src/agent/admission/running-containers.ts';
import { AgentError } from '../../../../src/domain/errors.ts';
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
