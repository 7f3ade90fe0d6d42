import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openHouse } from '../../support/agent/harness.ts';
import { withOther } from '../../support/agent/with-other.ts';

test('a slot is filled while the container before is removed, and no further while another one is', async () => {
  await using house = await openHouse();
  const run = house.addRun('function handler([number]) { return number }', '((1,), (2,), (3,))');
  const statuses = (): readonly number[] => house.broker.store.jobsOf(run).map(({ status }) => status);
  const removable = Promise.withResolvers<void>();
  const opened = await house.open({
    slots: 1,
    settings: { once: false },
    runtime: (_, processes) =>
      withOther(processes, {
        remove: async (id) => {
          await removable.promise;
          await processes.remove(id);
        },
      }),
  });
  const running = opened.agent.run();
  const { CREATED, SUCCEEDED } = JOB_STATUS;
  await vi.waitFor(() => expect(statuses()).toEqual([SUCCEEDED, SUCCEEDED, CREATED]), 30_000);
  // What is not over yet is waited for by a drain.
  const drained = opened.agent.drain();
  removable.resolve();
  await drained;
  await running;
  expect(statuses()).toEqual([SUCCEEDED, SUCCEEDED, CREATED]);
  await opened.close();
});
