import { expect, test, vi } from 'vitest';
import { endBySignal } from '../support/chaos/daemon-host.ts';
import { EngineScenario } from '../support/chaos/engine-scenario.ts';
import { EngineWatch } from '../support/chaos/engine-watch.ts';
import { describeDocker } from '../support/engine/docker.ts';

/** From now on the engine takes calls and answers none; what is under way breaks off. */
function deafen(scenario: EngineScenario): void {
  scenario.proxy.plan = () => 'blackhole';
  scenario.proxy.cut();
}

describeDocker('an engine that takes calls and never answers', (engine) => {
  test.each(['SIGTERM', 'SIGUSR1'] as const)(
    'from the start: %s ends an agent that has nothing to do',
    async (signal) => {
      await using scenario = await EngineScenario.open(engine);
      deafen(scenario);
      const agent = scenario.startAgent();
      await vi.waitFor(() => expect(scenario.proxy.count('/info')).toBeGreaterThan(0), 20_000);
      expect(await endBySignal(agent, signal)).toBe(0);
    },
  );

  test('from the start: the pending reports of an earlier agent are delivered all the same', async () => {
    await using scenario = await EngineScenario.open(engine);
    const job = scenario.addJob();
    await using first = scenario.startAgent(
      { CRASH_AT: 'before broker.report' },
      'test/support/chaos/crashing-agent.ts',
    );
    await scenario.runs(job);
    await scenario.goOn(job);
    expect((await first.ended).code).toBeNull();
    deafen(scenario);
    const agent = scenario.startAgent();
    await scenario.hears(job, 'reported SUCCEEDED');
    expect(await endBySignal(agent, 'SIGTERM')).toBe(0);
    scenario.proxy.plan = () => 'pass';
    scenario.startAgent();
    await scenario.untilExhausted();
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
  });

  test('to what is over: it is reported, the end of the agent does not wait, and the next one clears up', async () => {
    await using scenario = await EngineScenario.open(engine);
    scenario.proxy.plan = ({ name }) => (name === 'remove' ? 'blackhole' : 'pass');
    const job = scenario.addJob();
    const first = scenario.startAgent();
    await scenario.runs(job);
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    expect(await endBySignal(first, 'SIGTERM')).toBe(0);
    expect(await scenario.containers(job)).toHaveLength(1);
    scenario.proxy.plan = () => 'pass';
    scenario.startAgent();
    await scenario.untilExhausted();
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
  });

  test('while a job runs: a drain waits for it, SIGTERM does not, and the next agent goes on', async () => {
    await using watch = await EngineWatch.open(engine);
    await using scenario = await EngineScenario.open(engine);
    const job = scenario.addJob();
    const first = scenario.startAgent();
    await scenario.runs(job);
    deafen(scenario);
    first.signal('SIGUSR1');
    await first.untilLogged({ event: 'offer-deregistered' });
    expect(first.child.exitCode).toBeNull();
    expect(await endBySignal(first, 'SIGTERM')).toBe(0);
    scenario.proxy.plan = () => 'pass';
    const second = scenario.startAgent();
    await second.untilLogged({ event: 'job-adopted' });
    deafen(scenario);
    second.signal('SIGUSR1');
    await scenario.goOn(job);
    scenario.proxy.plan = () => 'pass';
    scenario.proxy.cut();
    expect((await second.ended).code).toBe(0);
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    expect(scenario.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
    expect(await watch.startsOf(job)).toBe(1);
    await scenario.untilExhausted();
  });
});
