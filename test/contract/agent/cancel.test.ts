import { describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { slowStart } from '../../support/agent/slow-start.ts';
import { TestEnv, TOKEN } from '../../support/agent/test-env.ts';

const ENDLESS = `function handler() { console.log('running'); return new Promise(() => setInterval(() => {}, 1000)) }`;
const QUICK = `function handler(event) { return event[0] }`;

describe('what the broker takes back', () => {
  test('a job whose run is deleted midway is stopped, leaves nothing, and the slot is used again', async () => {
    await using env = await TestEnv.open({ leaseSeconds: 3 });
    const doomed = env.addRun(ENDLESS, '((1,),)', { bidPrice: 0.9 });
    await using agent = await env.open({ slots: 1 });
    const running = agent.run();
    await env.untilEvent('job-started');
    const { uuid } = env.jobOf(doomed);
    const good = env.addRun(QUICK, '((7,),)');
    env.broker.store.deleteRun(doomed, { evenInProgress: true });
    await env.time.passUntil(() => env.count('job-cancelled') > 0);
    await running;
    expect(agent.journal.get(uuid)?.state.name).toBe('dropped');
    expect(env.jobsOf(good).map(({ result }) => result)).toEqual(['7']);
    expect(await agent.runtime.list()).toEqual([]);
  });

  test('a job that outlives its time is TIMEOUT, with what it printed, and paid', async () => {
    await using env = await TestEnv.open();
    const run = env.addRun(ENDLESS, '((1,),)');
    await using agent = await env.open({
      settings: { jobTimeoutMs: 700 },
      runtime: (_, processes) => slowStart(processes, 'running'),
    });
    await agent.run();
    const job = env.jobOf(run);
    expect(job).toMatchObject({ status: JOB_STATUS.TIMEOUT, stdout: 'running\n', result: '' });
    expect(job.stderr).toContain('longer than 0.7 s');
    expect(job.cost).toBeGreaterThan(0);
  });

  test('a job that the broker thinks is here, and is not, goes back to the market and is then done', async () => {
    await using env = await TestEnv.open({ leaseSeconds: 3 });
    const first = await env.open();
    await first.run();
    await first.close();
    const run = env.addRun(QUICK, '((3,),)');
    const [instance] = env.broker.store.instances.all();
    // A claim whose sender has forgotten it: the journal lost, say.
    const answer = await fetch(`${env.url}/api/v1/jobs/${env.jobOf(run).uuid}/`, {
      method: 'PATCH',
      headers: { authorization: `Token ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({ status: JOB_STATUS.IN_PROGRESS, instance: instance?.uuid }),
    });
    expect(answer.status).toBe(200);
    await using _next = await env.start();
    await env.untilDone(run);
  });
});
