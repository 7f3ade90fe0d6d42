import { expect, test, vi } from 'vitest';
import { EngineScenario } from '../support/chaos/engine-scenario.ts';
import { describeOwnEngine, PYTHON } from '../support/engine/docker.ts';
import { PrivateEngine } from '../support/engine/private-engine.ts';

const MIB = 1024 * 1024;

describeOwnEngine('a pull that is cut off midway', () => {
  test('by the registry, and again by the engine: nothing is claimed before the image is here, then the job is done', async () => {
    await using engine = await PrivateEngine.open();
    await engine.start({ liveRestore: false });
    await using scenario = await EngineScenario.open(engine);
    const { registry } = engine;
    const heldUp = () =>
      vi.waitFor(() => expect(registry.isHeld).toBe(true), { timeout: 60_000, interval: 20 });

    registry.holdAfter(4 * MIB);
    const job = scenario.addJob('returns', PYTHON);
    scenario.startAgent();
    await heldUp();
    await registry.set('reset');
    await registry.set('pass');
    registry.holdAfter(4 * MIB);
    await heldUp();
    await engine.end('SIGKILL');
    expect(scenario.words(job)).toEqual([]);
    registry.release();
    await engine.start({ liveRestore: false });
    await scenario.runs(job);
    await scenario.goOn(job);
    await scenario.hears(job, 'reported SUCCEEDED');
    expect(scenario.words(job)).toEqual(['claimed', 'reported SUCCEEDED']);
    await scenario.untilExhausted();
  });
});
