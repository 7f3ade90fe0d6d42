import { expect, test } from 'vitest';
import { EngineScenario } from '../../support/chaos/engine-scenario.ts';
import { describeDocker } from '../../support/engine/docker.ts';
import { type OddImage, oddImage } from '../../support/engine/odd-image.ts';

/** Images of which no container starts, in the engine's words of all kinds. */
const IMAGES: Readonly<Record<string, OddImage>> = {
  'a link to the settings where the input is mounted': {
    entries: [{ path: 'sharedcloud', kind: 'link', to: '/etc' }],
  },
  'a link to the processes where the engine’s init is mounted': {
    entries: [{ path: 'sbin', kind: 'link', to: '/proc' }],
  },
  'a directory for hosts': { entries: [{ path: 'etc/hosts', kind: 'directory' }] },
  'a variable without a name': { config: { Env: ['PATH=/bin', '=x'] } },
  'a volume through a link to the root': {
    config: { Volumes: { '/v': {} } },
    entries: [{ path: 'v', kind: 'link', to: '/' }],
  },
};

describeDocker('images that no container can be started of', (engine) => {
  test('fail their own jobs, each claimed once, and stop no other', async () => {
    await using images = new AsyncDisposableStack();
    await using scenario = await EngineScenario.open(engine, {
      SHAREDCLOUD_IMAGES: 'localhost:5000/sharedcloud/*,sharedcloud-test/*',
    });
    const jobs: string[] = [];
    for (const odd of Object.values(IMAGES)) {
      const { ref } = images.use(await oddImage(engine, odd));
      jobs.push(scenario.addJob('returns', ref));
    }
    const agent = scenario.startAgent();
    for (const job of jobs) await scenario.hears(job, 'reported FAILED');
    expect(jobs.map((job) => scenario.words(job))).toEqual(jobs.map(() => ['claimed', 'reported FAILED']));
    for (const job of jobs) expect(scenario.job(job)?.stderr).toContain('the image cannot be started');
    const innocent = scenario.addJob();
    await scenario.runs(innocent);
    await scenario.goOn(innocent);
    await scenario.hears(innocent, 'reported SUCCEEDED');
    expect(agent.said).not.toContain('engine-breaker-opened');
    await scenario.untilExhausted();
  });
});
