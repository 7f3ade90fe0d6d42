import { describe, expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { type House, openHouse } from '../../support/agent/harness.ts';
import {
  type Fault,
  type FaultPlan,
  faults,
  HttpProxy,
  isJobChange,
} from '../../support/faults/http-proxy.ts';
import { logged } from '../../support/log/log-into.ts';

const QUICK = `function handler(event) { return event[0] }`;
const SLOW = `function handler(event) { return new Promise((done) => setTimeout(() => done(event[0]), 500)) }`;

/** What a PATCH of a job asks for is in its body; here its order tells: the first is the claim, the second the report. */
const onPatchOf = (nth: number, fault: Fault): FaultPlan => {
  let patches = 0;
  return (call) => {
    if (!isJobChange(call)) return undefined;
    patches += 1;
    return patches === nth ? fault : undefined;
  };
};

function countReports(house: House): string[] {
  const reports: string[] = [];
  house.broker.store.onEvent((event) => void (event.kind === 'reported' && reports.push(event.job.uuid)));
  return reports;
}

describe('what the broker does to a claim and to a report', () => {
  const lost: readonly (readonly [string, Fault])[] = [
    ['a 500', faults.serverError],
    ['a web page', faults.html],
    ['a cut connection', faults.cutBefore],
    ['an answer that is lost after it took effect', faults.cutAfter],
    ['an answer cut midway', faults.cutMidway],
    ['half an answer', faults.truncate],
    ['a 500 after it took effect', faults.answerAfter(500)],
  ];
  describe.each([
    ['claim', 1],
    ['report', 2],
  ] as const)('%s', (_, nth) => {
    test.each(lost)('%s: the job runs once and is reported once', async (__, fault) => {
      await using house = await openHouse();
      const reports = countReports(house);
      const run = house.addRun(QUICK, '((5,),)');
      await using front = await HttpProxy.open(house.url, onPatchOf(nth, fault));
      const opened = await house.open({ url: front.url, slots: 1 });
      await opened.agent.run();
      expect(house.broker.store.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
      expect(reports).toHaveLength(1);
      expect(house.events.filter(({ kind }) => kind === 'job-started')).toHaveLength(1);
      await opened.close();
    });
  });
});

test('while the broker is away a job runs on, its report waits on disk through a restart, and is delivered once', async () => {
  await using house = await openHouse();
  const reports = countReports(house);
  const run = house.addRun(SLOW, '((5,),)');
  await using front = await HttpProxy.open(house.url);
  const url = front.url;
  const first = await house.open({ url, settings: { once: false } });
  const running = first.agent.run();
  await vi.waitFor(() => expect(house.events.map(({ kind }) => kind)).toContain('job-started'), 10_000);
  front.plan = () => faults.cutBefore;
  await vi.waitFor(() => expect(first.journal.inState('finished')).toHaveLength(1), 10_000);
  await first.agent.stop();
  await running;
  await first.close();
  expect(reports).toEqual([]);
  front.plan = () => undefined;
  const second = await house.open({ url });
  await second.agent.run();
  expect(house.broker.store.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
  expect(reports).toHaveLength(1);
  await second.close();
});

describe('an offer that the broker has lost meanwhile', () => {
  test('goes on the market again after an outage', async () => {
    await using house = await openHouse();
    await using front = await HttpProxy.open(house.url);
    const opened = await house.open({ url: front.url, settings: { once: false } });
    const running = opened.agent.run();
    const { offers, instances } = house.broker.store;
    const available = () => instances.all().map((instance) => instance.available);
    await vi.waitFor(() => expect(available()).toEqual([true]), 10_000);
    front.plan = ({ path }) => (path.includes('/runs') ? faults.serverError : undefined);
    await vi.waitFor(() => expect(house.log.join('')).toContain('market out of sight'), 10_000);
    // It was not heard of for too long.
    for (const { uuid } of instances.all()) offers.setAvailable(uuid, false);
    front.plan = () => undefined;
    await vi.waitFor(() => expect(available()).toEqual([true]), 10_000);
    await opened.agent.stop();
    await running;
    await opened.close();
  }, 40_000);

  test('is made anew where the broker knows it no more, with its images', async () => {
    await using house = await openHouse();
    const opened = await house.open({ settings: { once: false } });
    const running = opened.agent.run();
    const { instances, offers } = house.broker.store;
    await vi.waitFor(() => expect(instances.all().map(({ available }) => available)).toEqual([true]), 10_000);
    const [old] = instances.all();
    offers.delete(old?.uuid ?? '');
    const run = house.addRun(QUICK, '((5,),)');
    await vi.waitFor(() => expect(house.broker.store.jobsOf(run)[0]?.result).toBe('5'), 20_000);
    expect(instances.all()).toMatchObject([{ name: old?.name, available: true }]);
    expect(opened.journal.instance('cpu')).toBe(instances.all()[0]?.uuid);
    expect(instances.all()[0]?.downloadedImages).toHaveLength(1);
    await opened.agent.stop();
    await running;
    await opened.close();
  }, 40_000);
});

test('a report that the broker refuses for good is dropped, said, and not sent again', async () => {
  await using house = await openHouse();
  const run = house.addRun(QUICK, '((5,),)');
  const [job] = house.broker.store.jobsOf(run);
  await using front = await HttpProxy.open(house.url);
  const patches = (): number => front.calls.filter(isJobChange).length;
  front.plan = (call) => {
    // The claim was the first; before the report arrives the job is gone.
    if (isJobChange(call) && patches() === 2) house.broker.store.deleteRun(run, { evenInProgress: true });
    return undefined;
  };
  const url = front.url;
  const work = async (): Promise<void> => {
    const opened = await house.open({ url });
    await opened.agent.run();
    expect(opened.journal.get(job?.uuid ?? '')?.state).toMatchObject({ name: 'dropped' });
    await opened.close();
  };
  await work();
  expect(patches()).toBe(2);
  // Nor by the next start.
  await work();
  expect(patches()).toBe(2);
  expect(house.events.filter(({ kind }) => kind === 'report-refused')).toHaveLength(1);
  expect(logged(house.log, 'report-refused')).toHaveLength(1);
});
