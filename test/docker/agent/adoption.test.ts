import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { TestEnv } from '../../support/agent/test-env.ts';
import { expectWithin } from '../../support/chaos/daemon.ts';
import { describeDocker, expectNothingLeft, PYTHON, type TestEngine } from '../../support/engine/docker.ts';
import { testRuntime } from '../../support/engine/runtime.ts';

const SLOW = `
import time
def handler(event):
    print('first')
    time.sleep(event[0])
    print('last')
    return 'slept'
`;

describeDocker('an agent that is stopped while a job runs', (engine) => {
  test('ends within a second, and the next one adopts the job, which starts once', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const run = addPythonRun(env, SLOW, '((4,),)');
    const first = await openDockerAgent(env, engine, false);
    const running = first.agent.run();
    await vi.waitFor(() => expect(env.events.map(({ kind }) => kind)).toContain('job-started'), 60_000);
    const began = performance.now();
    await first.agent.stop();
    await running;
    expectWithin(began, 1_000);
    await first.close();
    const { agentId } = first.journal;
    const [container] = await testRuntime(engine.host, { agentId }).runtime.list();
    expect(container?.state).toBe('running');

    const second = await openDockerAgent(env, engine, true);
    await second.agent.run();
    const [job] = env.broker.store.jobsOf(run);
    expect(job).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: 'slept', stdout: 'first\nlast\n' });
    expect(env.events.filter(({ kind }) => kind === 'job-started')).toHaveLength(1);
    expect(env.events.filter(({ kind }) => kind === 'job-adopted')).toHaveLength(1);
    expect(second.journal.history(9).map(({ state }) => state.name)).toEqual(['reported']);
    await expectNothingLeft(engine, agentId);
    await second.close();
  });

  test('a job that ended while no agent was there is reported, paid for the time that it ran', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const run = addPythonRun(env, SLOW, '((1,),)');
    const first = await openDockerAgent(env, engine, false);
    const running = first.agent.run();
    await vi.waitFor(() => expect(env.events.map(({ kind }) => kind)).toContain('job-started'), 60_000);
    await first.agent.stop();
    await running;
    await first.close();
    const { runtime } = testRuntime(engine.host, { agentId: first.journal.agentId });
    await vi.waitFor(async () => expect((await runtime.list())[0]?.state).toBe('exited'), {
      timeout: 20_000,
      interval: 100,
    });
    const [ended] = await runtime.list();
    const { State } = await engine.docker.getContainer(ended?.id ?? '').inspect();
    const { FinishedAt, StartedAt } = State;
    const second = await openDockerAgent(env, engine, true);
    await second.agent.run();
    expect(env.broker.store.jobsOf(run)[0]).toMatchObject({
      status: JOB_STATUS.SUCCEEDED,
      result: 'slept',
    });
    const [record] = second.journal.history(1);
    expect(record?.state).toMatchObject({
      name: 'reported',
      durationMs: Date.parse(FinishedAt) - Date.parse(StartedAt),
    });
    await expectNothingLeft(engine, first.journal.agentId);
    await second.close();
  });

  test('a job that ended in time is no TIMEOUT, however late the next agent comes', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const run = addPythonRun(env, SLOW, '((1,),)');
    const timeout = { jobTimeoutMs: 2_500 };
    const first = await openDockerAgent(env, engine, false, 2, timeout);
    const running = first.agent.run();
    await vi.waitFor(() => expect(env.events.map(({ kind }) => kind)).toContain('job-started'), 60_000);
    const startedAt = Date.now();
    await first.agent.stop();
    await running;
    await first.close();
    await vi.waitFor(() => expect(Date.now() - startedAt).toBeGreaterThan(3_000), {
      timeout: 10_000,
      interval: 100,
    });
    const second = await openDockerAgent(env, engine, true, 2, timeout);
    await second.agent.run();
    expect(env.broker.store.jobsOf(run)[0]).toMatchObject({
      status: JOB_STATUS.SUCCEEDED,
      result: 'slept',
    });
    await expectNothingLeft(engine, first.journal.agentId);
    await second.close();
  });

  test('draining takes nothing new, waits for what runs, and reports it', async () => {
    await using env = await TestEnv.open({ realTime: true });
    const run = addPythonRun(env, SLOW, '((2,), (2,))');
    const opened = await openDockerAgent(env, engine, false, 1);
    const running = opened.agent.run();
    await vi.waitFor(() => expect(env.events.map(({ kind }) => kind)).toContain('job-started'), 60_000);
    await opened.agent.drain();
    await running;
    const statuses = env.broker.store.jobsOf(run).map(({ status }) => status);
    expect(statuses.toSorted()).toEqual([JOB_STATUS.CREATED, JOB_STATUS.SUCCEEDED]);
    await expectNothingLeft(engine, opened.journal.agentId);
    await opened.close();
  });
});

function addPythonRun(env: TestEnv, code: string, parameters: string): string {
  const image = env.broker.store.addImage({
    registryPath: PYTHON,
    requiresGpu: false,
    runtime: 'python36',
  });
  const fn = env.broker.store.addFunction({ name: 'slow', code, image });
  return env.broker.store.addRun({ function: fn, parameters, bidPrice: 1 });
}

function openDockerAgent(
  env: TestEnv,
  engine: TestEngine,
  once: boolean,
  slots = 2,
  more: { readonly jobTimeoutMs?: number } = {},
) {
  return env.open({
    slots,
    settings: { once, ...more },
    runtime: (agentId) => testRuntime(engine.host, { agentId }).runtime,
  });
}
