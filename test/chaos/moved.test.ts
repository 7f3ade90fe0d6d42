import { cp, mkdtemp, rename, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { EngineScenario } from '../support/chaos/engine-scenario.ts';
import { EngineWatch } from '../support/chaos/engine-watch.ts';
import { describeDocker, describeOwnEngine } from '../support/engine/docker.ts';
import { PrivateEngine } from '../support/engine/private-engine.ts';
import { removeContainer } from '../support/engine/remove-container.ts';

const DROPS = { liveRestore: false };
const CHANGED = { event: 'startup-blocked', code: 'ENGINE_CHANGED' };

async function scratch(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'moved-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

describeOwnEngine('an agent that finds another engine', () => {
  let engine: PrivateEngine;
  let other: PrivateEngine;
  beforeAll(async () => {
    [engine, other] = [await PrivateEngine.open(), await PrivateEngine.open()];
    await Promise.all([engine.start(DROPS), other.start(DROPS)]);
  }, 120_000);
  afterAll(async () => {
    await engine[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
  });

  test('after a restart leaves its running job alone, and reattaches to it at the old one', async () => {
    await using scenario = await EngineScenario.open(engine);
    const job = scenario.addJob();
    scenario.startAgent();
    await scenario.runs(job);
    await scenario.stopAgent();
    const moved = scenario.startAgent({ DOCKER_HOST: other.host });
    await moved.untilLogged({ ...CHANGED, hint: new RegExp(`--docker-host ${scenario.proxy.host} `) });
    await scenario.stopAgent();
    const back = scenario.startAgent();
    await back.untilLogged({ event: 'job-adopted', job });
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    expect(await engine.events.startsOf(job)).toBe(1);
    await scenario.untilExhausted();
  });

  test('in place of one that is gone releases its job once the owner says so', async () => {
    await using scenario = await EngineScenario.open(engine);
    const job = scenario.addJob();
    scenario.startAgent();
    await scenario.runs(job);
    await scenario.stopAgent();
    for (const { Id } of await scenario.containers(job)) await removeContainer(engine.docker, Id);
    const moved = { DOCKER_HOST: other.host };
    await scenario.startAgent(moved).untilLogged(CHANGED);
    expect((await scenario.command(['agent-moved'])).code).toBe(7);
    await scenario.stopAgent();
    expect(await scenario.command(['agent-moved'])).toMatchObject({ code: 0, stderr: '' });
    const agent = scenario.startAgent(moved);
    await scenario.hears(job, 'released');
    await agent.untilLogged({ event: 'job-started', job });
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    expect(scenario.words(job)).toEqual(['claimed', 'released', 'claimed', 'reported SUCCEEDED']);
    await scenario.stopAgent();
  });

  test('behind its socket while it runs waits for the old one, and claims nothing', async () => {
    const socket = join(await scratch(), 'docker.sock');
    const lead = async (to: PrivateEngine): Promise<void> => {
      await symlink(to.host.slice('unix://'.length), `${socket}.new`);
      await rename(`${socket}.new`, socket);
    };
    await lead(engine);
    await using scenario = await EngineScenario.open(engine, { SHAREDCLOUD_CPU_SLOTS: '2' });
    const job = scenario.addJob();
    const agent = scenario.startAgent({ DOCKER_HOST: `unix://${socket}` });
    await scenario.runs(job);
    await lead(other);
    await agent.untilLogged({ event: 'claiming-paused', blockedBy: ['engine'] });
    const next = scenario.addJob();
    await agent.untilLogged({ event: 'call-failed', code: 'ENGINE_CHANGED' });
    expect([scenario.words(job), scenario.words(next)]).toEqual([['claimed'], []]);
    await lead(engine);
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    await scenario.runs(next);
    await scenario.goOn(next);
    await scenario.hears(next, 'reported SUCCEEDED');
    for (const one of [job, next]) {
      expect(scenario.words(one)).toEqual(['claimed', 'reported SUCCEEDED']);
      expect(await engine.events.startsOf(one)).toBe(1);
    }
    await scenario.stopAgent();
  });

  test('without a started job uses it at once', async () => {
    await using scenario = await EngineScenario.open(engine);
    await scenario.startAgent().untilLogged({ event: 'offer-registered' });
    await scenario.stopAgent();
    const agent = scenario.startAgent({ DOCKER_HOST: other.host });
    await agent.untilLogged({ event: 'engine-changed', lost: 0 });
    await agent.untilLogged({ event: 'offer-registered' });
    expect(agent.logged(CHANGED)).toEqual([]);
    await scenario.stopAgent();
  });
});

/** Copies all but the sockets, which nothing copies. */
function copyState(from: string, to: string): Promise<void> {
  return cp(from, to, { recursive: true, filter: (path) => !path.endsWith('.sock') });
}

describeDocker('a state directory', (engine) => {
  test('that was copied while a job ran starts no second agent, and the first goes on', async () => {
    await using watch = await EngineWatch.open(engine);
    await using scenario = await EngineScenario.open(engine);
    const job = scenario.addJob();
    scenario.startAgent();
    await scenario.runs(job);
    const copy = join(await scratch(), 'state');
    await copyState(scenario.stateDir, copy);
    const second = await scenario.command(['start'], { SHAREDCLOUD_STATE_DIR: copy });
    expect(second.code).toBe(7);
    expect(second.stderr).toContain('STATE_DIR_COPIED');
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    expect(await watch.startsOf(job)).toBe(1);
    await scenario.untilExhausted();
  });

  test('that was restored from a backup of a job’s time starts the job no second time', async () => {
    await using watch = await EngineWatch.open(engine);
    await using scenario = await EngineScenario.open(engine);
    const job = scenario.addJob();
    scenario.startAgent();
    await scenario.runs(job);
    const backup = join(await scratch(), 'state');
    await copyState(scenario.stateDir, backup);
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    await scenario.stopAgent();
    await rm(scenario.stateDir, { recursive: true });
    await cp(backup, scenario.stateDir, { recursive: true });
    const agent = scenario.startAgent();
    await agent.untilLogged({ event: 'recovery-completed', adopted: 0 });
    const next = scenario.addJob();
    await scenario.runs(next);
    await scenario.goOn(next);
    await scenario.hears(next, 'reported SUCCEEDED');
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    expect(await watch.startsOf(job)).toBe(1);
    await scenario.untilExhausted();
  });
});
