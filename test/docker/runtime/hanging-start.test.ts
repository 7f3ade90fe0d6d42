import { expect, test } from 'vitest';
import { EngineScenario } from '../../support/chaos/engine-scenario.ts';
import { describeOwnEngine } from '../../support/engine/docker.ts';
import { oddImage } from '../../support/engine/odd-image.ts';
import { PrivateEngine } from '../../support/engine/private-engine.ts';

describeOwnEngine('an image in whose start Docker hangs for good', () => {
  test('fails its job, and neither its slot nor any other container waits for it', async () => {
    await using engine = await PrivateEngine.open();
    await engine.start({ liveRestore: false });
    // Docker opens the list of users to find the job's, and nobody ever writes into a pipe.
    const image = await oddImage(engine, { entries: [{ path: 'etc/passwd', kind: 'pipe' }] });
    await using scenario = await EngineScenario.open(engine, {
      SHAREDCLOUD_IMAGES: 'localhost:5000/sharedcloud/*,sharedcloud-test/*',
    });
    const hanging = scenario.addJob('returns', image.ref);
    const agent = scenario.startAgent();
    await scenario.hears(hanging, 'claimed');
    const innocent = scenario.addJob();
    const again = scenario.addJob('returns', image.ref);
    await scenario.hears(hanging, 'reported FAILED', 400_000);
    await scenario.runs(innocent);
    await scenario.goOn(innocent);
    await scenario.hears(innocent, 'reported SUCCEEDED');
    expect(scenario.words(hanging)).toEqual(['claimed', 'reported FAILED']);
    expect(scenario.words(again)).toEqual([]);
    await agent.untilLogged({ event: 'image-failed', code: 'CONTAINER_UNSTARTABLE' });
    await agent.untilLogged({ event: 'container-removal-failed', job: hanging });
    expect(agent.said).not.toContain('engine-breaker-opened');
    await scenario.stopAgent();
  }, 600_000);
});
