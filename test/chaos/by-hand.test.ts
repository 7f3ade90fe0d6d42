import { readFile } from 'node:fs/promises';
import type Docker from 'dockerode';
import { expect, test, vi } from 'vitest';
import { type AtSigterm, EngineScenario } from '../support/chaos/engine-scenario.ts';
import { describeDocker } from '../support/engine/docker.ts';

/** The process below the container's init, as this host numbers them. */
async function childOf(pid: number): Promise<number> {
  const [child] = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim().split(' ');
  return Number(child);
}

describeDocker('a job whose container somebody', (engine) => {
  /** A job that runs under an agent, and its container. */
  async function running(
    env: Readonly<Record<string, string>> = {},
    ends?: Parameters<EngineScenario['addJob']>[0],
  ) {
    const scenario = await EngineScenario.open(engine, env);
    const job = scenario.addJob(ends);
    scenario.startAgent();
    const pid = await scenario.runs(job);
    const [found] = await scenario.containers(job);
    return { scenario, job, pid, container: engine.docker.getContainer(found?.Id ?? '') };
  }

  type Deed = (container: Docker.Container, pid: number) => Promise<unknown>;

  test.each<[string, Deed]>([
    ['kills at its init', async (_, pid) => process.kill(pid, 'SIGKILL')],
    ['kills below its init', async (_, pid) => process.kill(await childOf(pid), 'SIGKILL')],
    ['terminates below its init', async (_, pid) => process.kill(await childOf(pid), 'SIGTERM')],
    ['terminates at its init', async (_, pid) => process.kill(pid, 'SIGTERM')],
    ['stops', (container) => container.stop()],
    ['kills', (container) => container.kill()],
    ['restarts', (container) => container.restart({ t: 0 })],
    [
      'stops and starts',
      async (container) => {
        await container.stop({ t: 0 });
        await container.start();
      },
    ],
    [
      'kills and starts',
      async (container) => {
        await container.kill();
        await container.start();
      },
    ],
    [
      'has restarted by the engine',
      async (container, pid) => {
        await container.update({ RestartPolicy: { Name: 'always' } });
        process.kill(pid, 'SIGKILL');
      },
    ],
    ['removes', (container) => container.remove({ force: true })],
    ['pauses for long', (container) => container.pause()],
    ['sends SIGSTOP', async (_, pid) => process.kill(pid, 'SIGSTOP')],
  ])('%s is released, neither FAILED nor paid', async (_, deed) => {
    const { container, job, pid, scenario } = await running({ SHAREDCLOUD_JOB_TIMEOUT: '8s' });
    await using _scenario = scenario;
    await deed(container, pid);
    await scenario.hears(job, 'released');
    expect(scenario.words(job).slice(0, 2)).toEqual(['claimed', 'released']);
    await vi.waitFor(async () => expect(await scenario.containers(job)).toEqual([]), 20_000);
  });

  test.each(['returns', 7] as const)(
    'has restarted by the engine at its end (%s) is never paid twice',
    async (ends) => {
      const { container, job, scenario } = await running({}, ends);
      await using _scenario = scenario;
      await container.update({ RestartPolicy: { Name: 'always' } });
      await scenario.goOn(job);
      await vi.waitFor(() => expect(scenario.words(job).length).toBeGreaterThan(1), 30_000);
      expect(['released', 'reported SUCCEEDED', 'reported FAILED']).toContain(scenario.words(job)[1]);
      await expect(container.inspect()).rejects.toThrow('no such container');
    },
  );

  test.each<AtSigterm>(['fails at SIGTERM', 'exits at SIGTERM'])(
    'stops, and that %s, is released',
    async (ends) => {
      const { container, job, scenario } = await running({}, ends);
      await using _scenario = scenario;
      await container.stop();
      await scenario.hears(job, 'released');
      expect(scenario.words(job).slice(0, 2)).toEqual(['claimed', 'released']);
    },
  );

  test.each<[string, Deed]>([
    [
      'pauses for a moment',
      async (container) => {
        await container.pause();
        await container.unpause();
      },
    ],
    ['renames', (container) => container.rename({ name: `renamed-${container.id.slice(0, 12)}` })],
    ['commits', (container) => container.commit({ repo: 'by-hand' })],
    ['gives other limits', (container) => container.update({ NanoCpus: 5e8 })],
    ['starts although it runs', (container) => container.start().then(undefined, () => undefined)],
  ])('%s goes on and is paid once', async (_, deed) => {
    const { container, job, pid, scenario } = await running();
    await using _scenario = scenario;
    await deed(container, pid);
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    await scenario.untilExhausted();
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    await engine.docker
      .getImage('by-hand')
      .remove()
      .catch(() => undefined);
  });

  test('renames, is found again by the next agent', async () => {
    const { container, job, scenario } = await running();
    await using _scenario = scenario;
    await container.rename({ name: `renamed-${container.id.slice(0, 12)}` });
    await scenario.stopAgent();
    scenario.startAgent();
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    await scenario.untilExhausted();
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
  });

  // Docker remembers the last 256 events of all its containers, and tests beside this one may need them all.
  test('paused until its deadline had passed, while no agent was running, is released', {
    retry: 2,
  }, async () => {
    const { container, job, scenario } = await running({ SHAREDCLOUD_JOB_TIMEOUT: '15s' });
    await using _scenario = scenario;
    await container.pause();
    await scenario.stopAgent();
    const { State } = await container.inspect();
    const ranMs = (): number => Date.now() - Date.parse(State.StartedAt);
    await vi.waitFor(() => expect(ranMs()).toBeGreaterThan(16_000), 20_000);
    await container.unpause();
    scenario.startAgent();
    await scenario.hears(job, 'released');
    expect(scenario.words(job).slice(0, 2)).toEqual(['claimed', 'released']);
  });

  test('started again while no agent was running, is released', async () => {
    const { container, job, scenario } = await running();
    await using _scenario = scenario;
    await scenario.stopAgent();
    await container.restart({ t: 0 });
    scenario.startAgent();
    await scenario.goOn(job);
    await scenario.hears(job, 'released');
    expect(scenario.words(job).slice(0, 2)).toEqual(['claimed', 'released']);
  });
});
