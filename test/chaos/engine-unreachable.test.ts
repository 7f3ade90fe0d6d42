import { afterAll, beforeAll, expect, test } from 'vitest';
import { EngineScene } from '../support/chaos/engine-scenario.ts';
import { describeOwnEngine } from '../support/engine/docker.ts';
import type { Fate } from '../support/engine/engine-proxy.ts';
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
      await using scene = await EngineScene.open(engine);
      const job = scene.addJob();
      scene.startAgent();
      await scene.runs(job);
      await engine.end(signal);
      await engine.start(KEEPS);
      await scene.goOn(job);
      await scene.hears(job, 'reported SUCCEEDED');
      expect(scene.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
      expect(scene.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
      expect(await engine.events.startsOf(job)).toBe(1);
      await scene.untilExhausted();
    },
  );

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s and takes its containers along: the job is given back, then claimed anew and done',
    async (signal) => {
      await engine.renew(DROPS);
      await using scene = await EngineScene.open(engine);
      const job = scene.addJob();
      scene.startAgent();
      await scene.runs(job);
      await engine.end(signal);
      await engine.start(DROPS);
      await scene.hears(job, 'released');
      await scene.runs(job);
      await scene.goOn(job);
      await scene.hears(job, 'reported SUCCEEDED');
      expect(scene.words(job)).toEqual(['claimed', 'released', 'claimed', 'reported SUCCEEDED']);
      expect(scene.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
      expect(await engine.events.startsOf(job)).toBe(2);
      await scene.untilExhausted();
    },
  );

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s while no agent is there: a job that fails at being ended is given back, then claimed anew and done',
    async (signal) => {
      await engine.renew(DROPS);
      await using scene = await EngineScene.open(engine);
      const job = scene.addJob('fails at SIGTERM');
      const first = scene.startAgent();
      await scene.runs(job);
      first.signal('SIGTERM');
      await first.ended;
      await engine.end(signal);
      await engine.start(DROPS);
      await expect.poll(async () => (await scene.containers(job))[0]?.State).toBe('exited');
      scene.startAgent();
      await scene.hears(job, 'released');
      await scene.runs(job);
      await scene.goOn(job);
      await scene.hears(job, 'reported SUCCEEDED');
      expect(scene.words(job)).toEqual(['claimed', 'released', 'claimed', 'reported SUCCEEDED']);
      await scene.untilExhausted();
    },
  );

  test('while jobs end: a failure is one, but a result that the engine lost is not called that', async () => {
    await engine.renew(KEEPS);
    await using scene = await EngineScene.open(engine, { SHAREDCLOUD_CPU_SLOTS: '2' });
    const fails = scene.addJob(7);
    const returns = scene.addJob();
    scene.startAgent();
    const pids = [await scene.runs(fails), await scene.runs(returns)];
    await engine.end('SIGKILL');
    for (const job of [fails, returns]) await scene.goOn(job);
    for (const pid of pids) await engine.processGone(pid);
    await engine.start(KEEPS);
    await scene.hears(fails, 'reported FAILED');
    expect(scene.job(fails)?.stderr).toContain('ended with exit code 7');
    await scene.hears(returns, 'released');
    await scene.runs(returns);
    await scene.goOn(returns);
    await scene.hears(returns, 'reported SUCCEEDED');
    expect(scene.words(returns)).toEqual(['claimed', 'released', 'claimed', 'reported SUCCEEDED']);
    await scene.untilExhausted();
  });

  test('for longer than a job may run: the job is a TIMEOUT, once', async () => {
    await engine.renew(KEEPS);
    await using scene = await EngineScene.open(engine, { SHAREDCLOUD_JOB_TIMEOUT: '5s' });
    const job = scene.addJob();
    const agent = scene.startAgent();
    await scene.runs(job);
    await engine.end('SIGKILL');
    // The agent finds that the time is over, and that there is no engine to end the job.
    await expect.poll(() => agent.said, { timeout: 30_000 }).toContain('could not stop container');
    await engine.start(KEEPS);
    await scene.hears(job, 'reported TIMEOUT');
    expect(scene.job(job)).toMatchObject({ stdout: 'first\n' });
    expect(scene.words(job)).toEqual(['claimed', 'reported TIMEOUT']);
    await scene.untilExhausted();
  });

  test.each<[string, string, number, readonly string[]]>([
    ['made', 'create', 1, ['claimed', 'released']],
    ['started', 'start', 1, ['claimed', 'reported SUCCEEDED']],
    ['attached to', 'attach', 1, ['claimed', 'reported SUCCEEDED']],
    ['read out after its end', 'logs', 2, ['claimed', 'reported SUCCEEDED']],
    ['removed', 'remove', 1, ['claimed', 'reported SUCCEEDED']],
  ])('just when a container is to be %s', async (_, name, count, words) => {
    await engine.renew(DROPS);
    await using scene = await EngineScene.open(engine);
    const down = Promise.withResolvers<void>();
    scene.proxy.plan = async (call): Promise<Fate> => {
      // What cannot be attached to is read from its log.
      if (name === 'logs' && call.name === 'attach') return { answer: 500 };
      if (call.name !== name || call.count !== count) return 'pass';
      await engine.end('SIGKILL');
      down.resolve();
      return 'pass';
    };
    const job = scene.addJob();
    scene.startAgent();
    if (count > 1 || name === 'remove') {
      await scene.runs(job);
      await scene.goOn(job);
    }
    await down.promise;
    // What is done is reported, engine or not.
    if (name === 'remove') await scene.hears(job, 'reported SUCCEEDED');
    await engine.start(DROPS);
    if (name === 'start' || name === 'attach') {
      await scene.runs(job);
      await scene.goOn(job);
    }
    if (name === 'create') await scene.hears(job, 'released');
    else await scene.hears(job, 'reported SUCCEEDED');
    expect(scene.words(job).slice(0, words.length)).toEqual(words);
    if (name === 'create') return;
    expect(scene.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
    expect(await engine.events.startsOf(job)).toBe(1);
    await scene.untilExhausted();
  });
});
