import { afterAll, beforeAll, expect, test } from 'vitest';
import { EngineScene } from '../support/chaos/engine-scene.ts';
import { describeOwnEngine } from '../support/engine/docker.ts';
import { PrivateEngine } from '../support/engine/private-engine.ts';

const KEEPS = { liveRestore: true };
const DROPS = { liveRestore: false };

describeOwnEngine('an engine that goes away while a job runs', () => {
  let engine: PrivateEngine;
  beforeAll(async () => {
    engine = await PrivateEngine.open();
  });
  afterAll(() => engine[Symbol.asyncDispose]());

  test.each(['SIGTERM', 'SIGKILL'] as const)(
    'by %s, and keeps it: it goes on and is done',
    async (signal) => {
      await using scene = await EngineScene.open(engine, KEEPS);
      const job = scene.addJob();
      await scene.runs(job);
      await engine.end(signal);
      await engine.start(KEEPS);
      await scene.goOn(job);
      await scene.hears(job, 'reported SUCCEEDED');
      expect(scene.job(job)).toMatchObject({ stdout: 'first\nlast\n', result: 'done' });
      expect(scene.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
      expect(await engine.events.startsOf(job)).toBe(1);
      await scene.nothingLeft();
    },
  );
});
