import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openHouse } from '../../support/agent/harness.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { faults, HttpProxy } from '../../support/faults/http-proxy.ts';

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

test.each([403, 409, 400])(
  'a claim that a broker denies (%i) while it is owed a report is made again after that',
  async (status) => {
    await using house = await openHouse();
    const run = house.addRun('function handler([number]) { return number }', '((1,), (2,))');
    let denied = 0;
    await using front = await HttpProxy.open(house.url, ({ count, method, path }) => {
      if (method !== 'PATCH' || !path.includes('/jobs/')) return undefined;
      const jobs = house.broker.store.jobsOf(run);
      const isReport =
        count > 1 && jobs.some((job) => path.includes(job.uuid) && job.status === JOB_STATUS.IN_PROGRESS);
      // The report takes until the next claim has been denied for its sake.
      if (isReport) return denied === 0 ? faults.serverError : undefined;
      if (count > 1 || !jobs.some((job) => job.status === JOB_STATUS.IN_PROGRESS)) return undefined;
      denied += 1;
      return faults.answer(status, '{"detail": "This instance has all the jobs that it may have."}');
    });
    const opened = await house.open({ url: front.url, slots: 1 });
    await opened.agent.run();
    expect(denied).toBeGreaterThan(0);
    expect(house.broker.store.jobsOf(run).map((job) => job.result)).toEqual(['1', '2']);
    await opened.close();
  },
  30_000,
);
