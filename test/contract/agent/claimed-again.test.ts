import { expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { ManualClock } from '../../support/clock/manual-clock.ts';
import { type Call, isJobChange } from '../../support/faults/http-proxy.ts';

const LEASE_SECONDS = 3;

test('a job that the broker took back is not claimed again while its old container is still being removed', async () => {
  // Its leases end when the test says so.
  const brokersClock = new ManualClock();
  await using env = await TestEnv.open({ leaseSeconds: LEASE_SECONDS, clock: brokersClock });
  const run = env.addRun('function handler() { return 7 }', '((1,),)');
  const removable = Promise.withResolvers<void>();
  // The report comes too late: by the broker's word the job is not ours.
  env.proxy.plan = (call) => {
    if (isJobChange(call) && call.count === 2) brokersClock.advance(LEASE_SECONDS * 1_000);
    return undefined;
  };
  await using _agent = await env.start({
    slots: 2,
    runtime: (_, processes) =>
      withOther(processes, {
        remove: async (id) => {
          await removable.promise;
          await processes.remove(id);
        },
      }),
  });
  await env.untilEvent('report-refused');
  expect(env.jobOf(run).status).toBe(JOB_STATUS.CREATED);
  // It is open again, and none that could be claimed here.
  const before = env.proxy.calls.length;
  const isListing = ({ path, query }: Call): boolean =>
    path.endsWith('/jobs/') && query.includes(`run=${run}`);
  await env.time.passUntil(() => env.proxy.calls.slice(before).some(isListing));
  await env.time.pass(60_000);
  // The claim and the report that came too late.
  expect(env.proxy.calls.filter(isJobChange)).toHaveLength(2);
  removable.resolve();
  await env.untilDone(run);
  expect(env.count('job-release-queued')).toBe(0);
});
