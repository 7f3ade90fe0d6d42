import { afterAll, beforeAll, expect, test } from 'vitest';
import { EngineScenario } from '../support/chaos/engine-scenario.ts';
import { describeOwnEngine } from '../support/engine/docker.ts';
import type { EngineFault } from '../support/engine/engine-proxy.ts';
import { PrivateEngine } from '../support/engine/private-engine.ts';

/** With live-restore, and without. */
const KEEPS = { liveRestore: true };
const DROPS = { liveRestore: false };

describeOwnEngine('an engine that goes away', () => {
  let engine: PrivateEngine;
  beforeAll(async () => {
    engine = await PrivateEngine.open();
  }, 60_000);
  afterAll(() => engine[Symbol.asyncDispose]());

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s and keeps its containers: the job goes on, and is done once',
    async (signal) => {
      await engine.renew(KEEPS);
      await using scenario = await EngineScenario.open(engine);
      const job = scenario.addJob();
      scenario.startAgent();
      await scenario.runs(job);
      await engine.end(signal);
      await engine.start(KEEPS);
      await scenario.goOn(job);
      await scenario.hears(job, 'reported SUCCEEDED');
      expect(scenario.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
      expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
      expect(await engine.events.startsOf(job)).toBe(1);
      await scenario.untilExhausted();
    },
  );

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s and takes its containers along: the job is released, claimed again and done',
    async (signal) => {
      await engine.renew(DROPS);
      await using scenario = await EngineScenario.open(engine);
      const job = scenario.addJob();
      scenario.startAgent();
      await scenario.runs(job);
      await engine.end(signal);
      await engine.start(DROPS);
      await scenario.hears(job, 'released');
      await scenario.runs(job);
      await scenario.goOn(job);
      await scenario.hears(job, 'reported SUCCEEDED');
      expect(scenario.words(job)).toEqual(['claimed', 'released', 'claimed', 'reported SUCCEEDED']);
      expect(scenario.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
      expect(await engine.events.startsOf(job)).toBe(2);
      await scenario.untilExhausted();
    },
  );

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s while no agent is there: a job that fails when it is stopped is released, claimed again and done',
    async (signal) => {
      await engine.renew(DROPS);
      await using scenario = await EngineScenario.open(engine);
      const job = scenario.addJob('fails at SIGTERM');
      const first = scenario.startAgent();
      await scenario.runs(job);
      first.signal('SIGTERM');
      await first.ended;
      await engine.end(signal);
      await engine.start(DROPS);
      await expect.poll(async () => (await scenario.containers(job))[0]?.State).toBe('exited');
      scenario.startAgent();
      await scenario.hears(job, 'released');
      await scenario.runs(job);
      await scenario.goOn(job);
      await scenario.hears(job, 'reported SUCCEEDED');
      expect(scenario.words(job)).toEqual(['claimed', 'released', 'claimed', 'reported SUCCEEDED']);
      await scenario.untilExhausted();
    },
  );

  test('while jobs end: a failure is one, but a result that the engine lost is not called that', async () => {
    await engine.renew(KEEPS);
    await using scenario = await EngineScenario.open(engine, { SHAREDCLOUD_CPU_SLOTS: '2' });
    const fails = scenario.addJob(7);
    const returns = scenario.addJob();
    scenario.startAgent();
    const pids = [await scenario.runs(fails), await scenario.runs(returns)];
    await engine.end('SIGKILL');
    for (const job of [fails, returns]) await scenario.goOn(job);
    for (const pid of pids) await engine.processGone(pid);
    await engine.start(KEEPS);
    await scenario.hears(fails, 'reported FAILED');
    expect(scenario.job(fails)?.stderr).toContain('ended with exit code 7');
    await scenario.hears(returns, 'released');
    await scenario.runs(returns);
    await scenario.goOn(returns);
    await scenario.hears(returns, 'reported SUCCEEDED');
    expect(scenario.words(returns)).toEqual(['claimed', 'released', 'claimed', 'reported SUCCEEDED']);
    await scenario.untilExhausted();
  });

  test('for longer than a job may run: the job is a TIMEOUT, once', async () => {
    await engine.renew(KEEPS);
    await using scenario = await EngineScenario.open(engine, { SHAREDCLOUD_JOB_TIMEOUT: '5s' });
    const job = scenario.addJob();
    const agent = scenario.startAgent();
    await scenario.runs(job);
    await engine.end('SIGKILL');
    // The agent finds that the time is over, and that there is no engine to end the job.
    await expect.poll(() => agent.said, { timeout: 30_000 }).toContain('could not stop container');
    await engine.start(KEEPS);
    await scenario.hears(job, 'reported TIMEOUT');
    expect(scenario.job(job)).toMatchObject({ stdout: 'first\n' });
    expect(scenario.words(job)).toEqual(['claimed', 'reported TIMEOUT']);
    await scenario.untilExhausted();
  });

  test.each<[string, string, number, readonly string[]]>([
    ['made', 'create', 1, ['claimed', 'released']],
    ['started', 'start', 1, ['claimed', 'reported SUCCEEDED']],
    ['attached to', 'attach', 1, ['claimed', 'reported SUCCEEDED']],
    ['read out after its end', 'logs', 2, ['claimed', 'reported SUCCEEDED']],
    ['removed', 'remove', 1, ['claimed', 'reported SUCCEEDED']],
  ])('just when a container is to be %s', async (_, name, count, words) => {
    await engine.renew(DROPS);
    await using scenario = await EngineScenario.open(engine);
    const down = Promise.withResolvers<void>();
    const agent = scenario.startAgent();
    // The first test container is over then, whose calls do not count.
    await agent.untilLogged({ event: 'offer-registered' });
    const before = scenario.proxy.count(name);
    scenario.proxy.plan = async (call): Promise<EngineFault> => {
      // What cannot be attached to is read from its log.
      if (name === 'logs' && call.name === 'attach') return { answer: 500 };
      if (call.name !== name || call.count !== before + count) return 'pass';
      await engine.end('SIGKILL');
      down.resolve();
      return 'pass';
    };
    const job = scenario.addJob();
    if (count > 1 || name === 'remove') {
      await scenario.runs(job);
      // Its log is read while it runs, and once more after its end.
      if (count > 1)
        await expect.poll(() => scenario.proxy.count(name), { timeout: 30_000 }).toBe(before + 1);
      await scenario.goOn(job);
    }
    await down.promise;
    // What is done is reported, engine or not.
    if (name === 'remove') await scenario.hears(job, 'reported SUCCEEDED');
    await engine.start(DROPS);
    if (name === 'start' || name === 'attach') {
      await scenario.runs(job);
      await scenario.goOn(job);
    }
    if (name === 'create') await scenario.hears(job, 'released');
    else await scenario.hears(job, 'reported SUCCEEDED');
    expect(scenario.words(job).slice(0, words.length)).toEqual(words);
    if (name === 'create') return;
    expect(scenario.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
    expect(await engine.events.startsOf(job)).toBe(1);
    await scenario.untilExhausted();
  });
});
