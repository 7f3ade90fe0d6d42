import { expect, test, vi } from 'vitest';
import { EngineScene } from '../support/chaos/engine-scenario.ts';
import { describeOwnEngine, PYTHON } from '../support/engine/docker.ts';
import { PrivateEngine } from '../support/engine/private-engine.ts';

const MIB = 1024 * 1024;

describeOwnEngine('a pull that is cut off midway', () => {
  test('by the registry, and again by the engine: nothing is claimed before the image is here, then the job is done', async () => {
    await using engine = await PrivateEngine.open();
    await engine.start({ liveRestore: false });
    await using scene = await EngineScene.open(engine);
    const { registry } = engine;
    const heldUp = () =>
      vi.waitFor(() => expect(registry.held).toBe(true), { timeout: 60_000, interval: 20 });

    registry.holdAfter(4 * MIB);
    const job = scene.addJob('returns', PYTHON);
    scene.startAgent();
    await heldUp();
    registry.cut();
    registry.hint();
    registry.holdAfter(4 * MIB);
    await heldUp();
    await engine.end('SIGKILL');
    expect(scene.words(job)).toEqual([]);
    registry.release();
    await engine.start({ liveRestore: false });
    await scene.runs(job);
    await scene.goOn(job);
    await scene.hears(job, 'reported SUCCEEDED');
    expect(scene.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    await scene.untilExhausted();
  });
});
