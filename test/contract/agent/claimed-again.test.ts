import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openHouse } from '../../support/agent/harness.ts';
import { withOther } from '../../support/agent/with-other.ts';
import { ManualClock } from '../../support/broker/manual-clock.ts';
import { LeapingClock } from '../../support/clock/leaping-clock.ts';
import { type Call, HttpProxy } from '../../support/faults/http-proxy.ts';

const LEASE_SECONDS = 3;
/** A run with nothing open is left alone no longer than this. */
const LONG_MS = 60_000;

const until = (check: () => void): Promise<void> => vi.waitFor(check, { timeout: 20_000, interval: 50 });
const isJobPatch = ({ method, path }: Call): boolean => method === 'PATCH' && path.includes('/jobs/');

test('a job that the broker took back is not claimed anew while its old container is still being removed', async () => {
  // Its leases end when the test says so.
  const brokersClock = new ManualClock();
  await using house = await openHouse({ leaseSeconds: LEASE_SECONDS, clock: brokersClock });
  const run = house.addRun('function handler() { return 7 }', '((1,),)');
  const removable = Promise.withResolvers<void>();
  // The report comes too late: by the broker's word the job is not ours.
  await using front = await HttpProxy.open(house.url, (call) => {
    if (isJobPatch(call) && call.count === 2) brokersClock.advance(LEASE_SECONDS * 1_000);
    return undefined;
  });
  const clock = new LeapingClock();
  const opened = await house.open({
    url: front.url,
    slots: 2,
    settings: { once: false },
    clock,
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
  await until(() => expect(kinds()).toContain('report-refused'));
  expect(status()).toBe(JOB_STATUS.CREATED);
  // It is open again, and none that could be claimed: of such a run is asked whether it is still there.
  const before = front.calls.length;
  const isListing = ({ path, query }: Call): boolean =>
    path.endsWith('/jobs/') && query.includes(`run=${run}`);
  await until(() => {
    clock.leap(LONG_MS);
    const since = front.calls.slice(before);
    const listing = since.findIndex(isListing);
    expect(listing).not.toBe(-1);
    expect(since.slice(listing).map(({ path }) => path)).toContain(`/api/v1/runs/${run}`);
  });
  // The claim and the report that came too late.
  expect(front.calls.filter(isJobPatch)).toHaveLength(2);
  removable.resolve();
  await until(() => {
    // Not while the job runs: its time would be over.
    if (front.calls.filter(isJobPatch).length === 2) clock.leap(LONG_MS);
    expect(status()).toBe(JOB_STATUS.SUCCEEDED);
  });
  expect(kinds()).not.toContain('job-release-queued');
  await opened.agent.stop();
  await running;
  await opened.close();
});
