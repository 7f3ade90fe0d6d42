import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openHouse } from '../../support/agent/harness.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { HostileFront, type SeenCall } from '../../support/broker/hostile.ts';

const isJobPatch = ({ method, path }: SeenCall): boolean => method === 'PATCH' && path.includes('/jobs/');

test('a job that the broker took back is not claimed anew while its old container is still being removed', async () => {
  await using house = await openHouse({ leaseSeconds: 3 });
  const run = house.addRun('function handler() { return 7 }', '((1,),)');
  const removable = Promise.withResolvers<void>();
  let refused = false;
  // The report comes too late: by the broker's word the job is not ours.
  await using front = new HostileFront(house.url, (call) => {
    if (refused || !isJobPatch(call) || call.count !== 2) return undefined;
    refused = true;
    return { do: 'answer', status: 409, body: '{"detail": "Not yours."}' };
  });
  const opened = await house.open({
    url: await front.listen(),
    slots: 2,
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
  const status = (): unknown => house.broker.store.jobsOf(run)[0]?.status;
  const kinds = (): readonly string[] => house.events.map(({ kind }) => kind);
  await vi.waitFor(() => expect(kinds()).toContain('report-refused'), 20_000);
  await vi.waitFor(() => expect(status()).toBe(JOB_STATUS.CREATED), 20_000);
  // It is open again, and none that could be claimed: of such a run is asked whether it is still there.
  const isRunAsked = ({ method, path }: SeenCall): boolean =>
    method === 'GET' && path.includes(`/runs/${run}`);
  const asked = front.calls.filter(isRunAsked).length;
  await vi.waitFor(() => expect(front.calls.filter(isRunAsked).length).toBeGreaterThan(asked), 60_000);
  // The claim and the report that came too late.
  expect(front.calls.filter(isJobPatch)).toHaveLength(2);
  removable.resolve();
  await vi.waitFor(() => expect(status()).toBe(JOB_STATUS.SUCCEEDED), 40_000);
  expect(kinds()).not.toContain('job-release-queued');
  await opened.agent.stop();
  await running;
  await opened.close();
}, 150_000);
