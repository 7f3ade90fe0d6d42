import { describe, expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openHouse } from '../../support/agent/harness.ts';
import { slowStart } from '../../support/agent/slow-start.ts';

const ENDLESS = `function handler() { console.log('running'); return new Promise(() => setInterval(() => {}, 1000)) }`;
const QUICK = `function handler(event) { return event[0] }`;

describe('what the broker takes back', () => {
  test('a job whose run is deleted midway is stopped, leaves nothing, and the slot goes on', async () => {
    await using house = await openHouse({ leaseSeconds: 3 });
    const doomed = house.addRun(ENDLESS, '((1,),)', { bidPrice: 0.9 });
    const opened = await house.open({ slots: 1 });
    const running = opened.agent.run();
    await vi.waitFor(() => expect(house.events.map(({ kind }) => kind)).toContain('job-started'), 10_000);
    const [job] = house.broker.store.jobsOf(doomed);
    const good = house.addRun(QUICK, '((7,),)');
    house.broker.store.deleteRun(doomed, { evenInProgress: true });
    await running;
    expect(opened.journal.get(job?.uuid ?? '')?.state.name).toBe('dropped');
    expect(house.broker.store.jobsOf(good).map(({ result }) => result)).toEqual(['7']);
    expect(await opened.runtime.list()).toEqual([]);
    await opened.close();
  });

  test('a job that outlives its time is TIMEOUT, with what it printed, and paid', async () => {
    await using house = await openHouse();
    const run = house.addRun(ENDLESS, '((1,),)');
    const opened = await house.open({
      settings: { jobTimeoutMs: 700 },
      runtime: (_, processes) => slowStart(processes, 'running'),
    });
    await opened.agent.run();
    const [job] = house.broker.store.jobsOf(run);
    expect(job).toMatchObject({ status: JOB_STATUS.TIMEOUT, stdout: 'running\n', result: '' });
    expect(job?.stderr).toContain('longer than 0.7 s');
    expect(job?.cost).toBeGreaterThan(0);
    await opened.close();
  });

  test('a job that the broker thinks is here, and is not, goes back to the market and is then done', async () => {
    await using house = await openHouse({ leaseSeconds: 3 });
    const opened = await house.open();
    await opened.agent.run();
    await opened.close();
    const run = house.addRun(QUICK, '((3,),)');
    const [job] = house.broker.store.jobsOf(run);
    const [instance] = house.broker.store.instances.all();
    // A claim whose sender has forgotten it: the journal lost, say.
    const answer = await fetch(`${house.url}/api/v1/jobs/${job?.uuid}/`, {
      method: 'PATCH',
      headers: { authorization: 'Token test-token', 'content-type': 'application/json' },
      body: JSON.stringify({ status: JOB_STATUS.IN_PROGRESS, instance: instance?.uuid }),
    });
    expect(answer.status).toBe(200);
    const next = await house.open({ settings: { once: false } });
    const running = next.agent.run();
    await vi.waitFor(() => expect(house.broker.store.jobsOf(run)[0]?.status).toBe(JOB_STATUS.SUCCEEDED), {
      timeout: 10_000,
      interval: 50,
    });
    await next.agent.stop();
    await running;
    await next.close();
  });
});
