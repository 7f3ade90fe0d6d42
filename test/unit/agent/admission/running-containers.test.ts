import { expect, test } from 'vitest';
import { RunningContainers } from '../../../../src/agent/admission/running-containers.ts';
import type { FoundContainer } from '../../../../src/domain/ports/runtime.ts';

function found(id: string, state: FoundContainer['state']): FoundContainer {
  return { id, job: `job-of-${id}`, state, startedAt: undefined };
}

test('a container may run from its creation to its end, and one that was found while it runs', () => {
  const containers = new RunningContainers();
  containers.created('new');
  expect(containers.areKnown).toBe(false);
  containers.listed([found('job', 'running'), found('waiting', 'created'), found('old', 'exited')]);
  expect(containers.areKnown).toBe(true);
  expect(containers.ids).toStrictEqual(['new', 'job', 'waiting']);
  containers.ended('new');
  containers.listed([found('job', 'exited')]);
  expect(containers.ids).toStrictEqual(['waiting']);
});
