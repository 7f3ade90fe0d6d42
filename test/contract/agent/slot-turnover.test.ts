import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { faults, isJobChange } from '../../support/faults/http-proxy.ts';

const { CREATED, IN_PROGRESS, SUCCEEDED } = JOB_STATUS;

test('a slot is filled while the container before is removed, and no further while another one is', async () => {
  await using env = await TestEnv.open();
  const run = env.addRun('function handler([number]) { return number }', '((1,), (2,), (3,))');
  const statuses = (): readonly number[] => env.jobsOf(run).map(({ status }) => status);
  const removable = Promise.withResolvers<void>();
  await using agent = await env.start({
    slots: 1,
    runtime: (_, processes) =>
      withOther(processes, {
        remove: async (id) => {
          await removable.promise;
          await processes.remove(id);
        },
      }),
  });
  await env.until(() => expect(statuses()).toEqual([SUCCEEDED, SUCCEEDED, CREATED]));
  // A drain waits for the removal.
  const drained = agent.drain();
  removable.resolve();
  await drained;
  expect(statuses()).toEqual([SUCCEEDED, SUCCEEDED, CREATED]);
});

test.each([403, 409, 400])(
  'a claim that a broker denies (%i) while a report is pending is made again after that',
  async (status) => {
    await using env = await TestEnv.open();
    const run = env.addRun('function handler([number]) { return number }', '((1,), (2,))');
    let denied = 0;
    env.proxy.plan = (call) => {
      if (!isJobChange(call)) return undefined;
      const inProgress = env.jobsOf(run).filter((job) => job.status === IN_PROGRESS);
      const isReport = call.count > 1 && inProgress.some(({ uuid }) => call.path.includes(uuid));
      // The report takes until the next claim has been denied for its sake.
      if (isReport) return denied === 0 ? faults.serverError : undefined;
      if (call.count > 1 || inProgress.length === 0) return undefined;
      denied += 1;
      return faults.answer(status, '{"detail": "This instance has all the jobs that it may have."}');
    };
    await using agent = await env.open({ slots: 1 });
    await agent.run();
    expect(denied).toBeGreaterThan(0);
    expect(env.jobsOf(run).map((job) => job.result)).toEqual(['1', '2']);
  },
);
