import { describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { GATED, Gate } from '../../support/agent/gate.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { type Fault, faults, isJobChange, isRunsPoll } from '../../support/faults/http-proxy.ts';
import { logged } from '../../support/log/log-into.ts';

const QUICK = `function handler(event) { return event[0] }`;

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
      await using env = await TestEnv.open();
      const heard = env.recordJobEvents();
      const run = env.addRun(QUICK, '((5,),)');
      let changes = 0;
      env.proxy.plan = (call) => (isJobChange(call) && (changes += 1) === nth ? fault : undefined);
      await using agent = await env.open({ slots: 1 });
      await agent.run();
      expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
      expect(heard.filter((kind) => kind === 'reported')).toHaveLength(1);
      expect(env.count('job-started')).toBe(1);
    });
  });
});

test('while the broker is unreachable a job runs on, its report waits on disk through a restart, and is delivered once', async () => {
  await using env = await TestEnv.open();
  const heard = env.recordJobEvents();
  const gate = new Gate(env.directory);
  const run = env.addRun(GATED, gate.parameters(5));
  const first = await env.start();
  await env.untilEvent('job-started');
  env.proxy.plan = () => faults.cutBefore;
  gate.open();
  await env.until(() => expect(first.journal.inState('finished')).toHaveLength(1));
  await first.stop();
  expect(heard).toEqual(['claimed']);
  env.proxy.plan = () => undefined;
  await using second = await env.open();
  await second.run();
  expect(env.jobOf(run)).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5' });
  expect(heard).toEqual(['claimed', 'reported']);
});

describe('an offer that the broker has lost meanwhile', () => {
  test('goes on the market again after an outage', async () => {
    await using env = await TestEnv.open();
    await using _agent = await env.start();
    const { offers, instances } = env.broker.store;
    const isAvailable = () => instances.all().map((instance) => instance.available);
    await env.until(() => expect(isAvailable()).toEqual([true]));
    let failures = 0;
    env.proxy.plan = (call) => {
      if (!isRunsPoll(call)) return undefined;
      failures += 1;
      return faults.serverError;
    };
    await env.until(() => expect(failures).toBeGreaterThan(2));
    // It was not heard of for too long.
    for (const { uuid } of instances.all()) offers.setAvailable(uuid, false);
    env.proxy.plan = () => undefined;
    await env.until(() => expect(isAvailable()).toEqual([true]));
  });

  test('is registered again where the broker does not know it any more, with its images', async () => {
    await using env = await TestEnv.open();
    await using agent = await env.start();
    const { instances, offers } = env.broker.store;
    await env.until(() => expect(instances.all()).toMatchObject([{ available: true }]));
    const [old] = instances.all();
    offers.delete(old?.uuid ?? '');
    const run = env.addRun(QUICK, '((5,),)');
    await env.untilDone(run);
    expect(instances.all()).toMatchObject([{ name: old?.name, available: true }]);
    expect(agent.journal.instance('cpu')).toBe(instances.all()[0]?.uuid);
    expect(instances.all()[0]?.downloadedImages).toHaveLength(1);
  });
});

test('a report that the broker refuses for good is dropped, logged, and not sent again', async () => {
  await using env = await TestEnv.open();
  const run = env.addRun(QUICK, '((5,),)');
  const { uuid } = env.jobOf(run);
  const changes = (): number => env.proxy.calls.filter(isJobChange).length;
  env.proxy.plan = (call) => {
    // The claim was the first; before the report arrives the job is gone.
    if (isJobChange(call) && changes() === 2) env.broker.store.deleteRun(run, { evenInProgress: true });
    return undefined;
  };
  // Nor does the next start send it.
  for (const _life of ['first', 'second']) {
    await using agent = await env.open();
    await agent.run();
    expect(agent.journal.get(uuid)?.state.name).toBe('dropped');
    expect(changes()).toBe(2);
  }
  expect(env.count('report-refused')).toBe(1);
  expect(logged(env.log, 'report-refused')).toHaveLength(1);
});
