import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../src/domain/job.ts';
import { ENGINE_DEADLINES } from '../../src/runtime/docker/engine/call.ts';
import { type TestAgent, TestEnv } from '../support/agent/test-env.ts';
import { expectWithin } from '../support/chaos/daemon.ts';
import { EngineScenario } from '../support/chaos/engine-scenario.ts';
import { EngineWatch } from '../support/chaos/engine-watch.ts';
import { describeDocker, expectNothingLeft, PYTHON } from '../support/engine/docker.ts';
import { type EngineFault, EngineProxy } from '../support/engine/engine-proxy.ts';
import { testRuntime } from '../support/engine/runtime.ts';

describeDocker('an engine whose answer is lost', (engine) => {
  test.each<[string, readonly string[]]>([
    ['create', ['create']],
    ['start', ['start']],
    ['attach', ['attach']],
    ['attach, wait, read and remove', ['attach', 'wait', 'logs', 'remove']],
  ])('to %s: the job starts once and is done', async (_, names) => {
    await using watch = await EngineWatch.open(engine);
    await using scenario = await EngineScenario.open(engine);
    const agent = scenario.startAgent();
    // The first test container is over then, whose answers are not lost.
    await agent.untilLogged({ event: 'offer-registered' });
    const lost: string[] = [];
    scenario.proxy.plan = ({ name }) => {
      if (!names.includes(name) || lost.includes(name)) return 'pass';
      lost.push(name);
      return 'lose-answer';
    };
    const job = scenario.addJob();
    await scenario.runs(job);
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    await scenario.untilExhausted();
    expect(lost.toSorted()).toEqual(names.toSorted());
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    expect(scenario.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
    expect(await watch.startsOf(job)).toBe(1);
  });

  test('to kill: a job that ran out of its time is a TIMEOUT', async () => {
    await using scenario = await EngineScenario.open(engine, { SHAREDCLOUD_JOB_TIMEOUT: '3s' });
    scenario.proxy.plan = (call) => (call.name === 'kill' && call.count === 1 ? 'lose-answer' : 'pass');
    const job = scenario.addJob();
    scenario.startAgent();
    await scenario.hears(job, 'reported TIMEOUT');
    await scenario.untilExhausted();
    expect(scenario.words(job)).toEqual(['claimed', 'reported TIMEOUT']);
  });
});

const ENDLESS = 'import time\ndef handler(event):\n    print("begun")\n    time.sleep(600)\n';
const QUICK = 'def handler(event):\n    return event[0]\n';

describeDocker('an engine that cannot end a container', (engine) => {
  test.each<[string, EngineFault, EngineFault]>([
    ['and does not answer', 'blackhole', 'blackhole'],
    ['although it says so', { answer: 204 }, { answer: 500 }],
  ])('%s: a TIMEOUT all the same; its slot is taken, the other works on', async (_, kill, remove) => {
    await using proxy = await EngineProxy.start(engine.host);
    await using env = await TestEnv.open({ realTime: true });
    const { store } = env.broker;
    const image = store.addImage({ registryPath: PYTHON, requiresGpu: false, runtime: 'python36' });
    const put = (code: string, parameters: string): string =>
      store.addRun({
        function: store.addFunction({ name: 'sample', code, image }),
        parameters,
        bidPrice: 0.5,
      });
    const open = (once: boolean): Promise<TestAgent> =>
      env.open({
        slots: 2,
        settings: { once, jobTimeoutMs: 4_000, unkillableAfterMs: 1_000 },
        runtime: (agentId) => {
          // Impatient only with the engine that hangs: the last agent has to end a real container.
          const deadlines = once ? ENGINE_DEADLINES : { ...ENGINE_DEADLINES, stopMs: 500 };
          return testRuntime(proxy.host, { agentId, deadlines }).runtime;
        },
      });
    const reported = (run: string, status: number): Promise<void> =>
      vi.waitFor(
        () => expect(store.jobsOf(run).map((job) => job.status)).toEqual(store.jobsOf(run).map(() => status)),
        { timeout: 60_000, interval: 100 },
      );
    const first = await open(false);
    const running = first.agent.run();
    // The first test container is over then.
    await env.untilEvent('offer-registered');
    // The first that is started is the one that hangs.
    let hanging: string | undefined;
    proxy.plan = ({ container, name }) => {
      if (name === 'start') hanging ??= container;
      if (container !== hanging) return 'pass';
      return name === 'kill' ? kill : name === 'remove' ? remove : 'pass';
    };
    const endless = put(ENDLESS, '((1,),)');
    await reported(endless, JOB_STATUS.TIMEOUT);
    expect(store.jobsOf(endless)[0]?.stdout).toBe('begun\n');
    const quick = put(QUICK, '((1,), (2,), (3,))');
    await reported(quick, JOB_STATUS.SUCCEEDED);
    const slotsOf = (run: string): ReadonlySet<string> =>
      new Set(
        first.journal
          .history(9)
          .filter((job) => job.run === run)
          .map(({ slot }) => slot),
      );
    expect(slotsOf(quick).size).toBe(1);
    expect(slotsOf(quick)).not.toEqual(slotsOf(endless));
    const began = performance.now();
    await first.agent.stop();
    await running;
    expectWithin(began, 1_000);
    await first.close();

    proxy.plan = () => 'pass';
    const second = await open(true);
    await second.agent.run();
    await expectNothingLeft(engine, second.journal.agentId);
    await second.close();
  });
});
