import { expect, test, vi } from 'vitest';
import { said } from '../support/chaos/daemon.ts';
import { EngineScene } from '../support/chaos/engine-scenario.ts';
import { EngineWatch } from '../support/chaos/engine-watch.ts';
import type { AgentProcess } from '../support/e2e/agent-process.ts';
import { describeDocker } from '../support/engine/docker.ts';

/** A second, and what a busy machine adds to the end of a process. */
const SOON_MS = 2_500;

/** Sends a signal and waits for the end, which must come soon; answers the exit code. */
async function endsSoon(agent: AgentProcess, signal: NodeJS.Signals): Promise<number | null> {
  const began = performance.now();
  agent.signal(signal);
  const { code } = await agent.ended;
  expect(performance.now() - began).toBeLessThan(SOON_MS);
  return code;
}

/** From now on the engine takes calls and answers none; what is under way breaks off. */
function deafen(scene: EngineScene): void {
  scene.proxy.plan = () => 'swallow';
  scene.proxy.cut();
}

describeDocker('an engine that takes calls and never answers', (engine) => {
  test.each(['SIGTERM', 'SIGUSR1'] as const)(
    'from the start: %s ends an agent that has nothing to do',
    async (signal) => {
      await using scene = await EngineScene.open(engine);
      deafen(scene);
      const agent = scene.startAgent();
      await vi.waitFor(() => expect(scene.proxy.count('/info')).toBeGreaterThan(0), 20_000);
      expect(await endsSoon(agent, signal)).toBe(0);
    },
  );

  test('from the start: what an earlier agent owes is reported all the same', async () => {
    await using scene = await EngineScene.open(engine);
    const job = scene.addJob();
    await using first = scene.startAgent(
      { CRASH_AT: 'before broker.report' },
      'test/support/chaos/crashing-agent.ts',
    );
    await scene.runs(job);
    await scene.goOn(job);
    expect((await first.ended).code).toBeNull();
    deafen(scene);
    const agent = scene.startAgent();
    await scene.hears(job, 'reported SUCCEEDED');
    expect(await endsSoon(agent, 'SIGTERM')).toBe(0);
    scene.proxy.plan = () => 'pass';
    scene.startAgent();
    await scene.untilExhausted();
    expect(scene.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
  });

  test('to what is over: it is reported, the end of the agent does not wait, and the next one clears up', async () => {
    await using scene = await EngineScene.open(engine);
    scene.proxy.plan = ({ name }) => (name === 'remove' ? 'swallow' : 'pass');
    const job = scene.addJob();
    const first = scene.startAgent();
    await scene.runs(job);
    await scene.goOn(job);
    await scene.hears(job, 'reported SUCCEEDED');
    expect(await endsSoon(first, 'SIGTERM')).toBe(0);
    expect(await scene.containers(job)).toHaveLength(1);
    scene.proxy.plan = () => 'pass';
    scene.startAgent();
    await scene.untilExhausted();
    expect(scene.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
  });

  test('while a job runs: a drain waits for it, SIGTERM does not, and the next agent goes on', async () => {
    await using watch = await EngineWatch.open(engine);
    await using scene = await EngineScene.open(engine);
    const job = scene.addJob();
    const first = scene.startAgent();
    await scene.runs(job);
    deafen(scene);
    first.signal('SIGUSR1');
    await said(first, 'offer deregistered');
    expect(first.child.exitCode).toBeNull();
    expect(await endsSoon(first, 'SIGTERM')).toBe(0);
    scene.proxy.plan = () => 'pass';
    const second = scene.startAgent();
    await said(second, 'adopted');
    deafen(scene);
    second.signal('SIGUSR1');
    await scene.goOn(job);
    scene.proxy.plan = () => 'pass';
    scene.proxy.cut();
    expect((await second.ended).code).toBe(0);
    expect(scene.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    expect(scene.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
    expect(await watch.startsOf(job)).toBe(1);
    await scene.untilExhausted();
  });
});
