import { expect, test } from 'vitest';
import { EngineScenario } from '../support/chaos/engine-scenario.ts';
import { describeDocker } from '../support/engine/docker.ts';
import type { EngineFault } from '../support/engine/engine-proxy.ts';

describeDocker('an engine that removes nothing', (engine) => {
  test.each<[string, EngineFault]>([
    ['because a removal is in progress', { answer: 409 }],
    ['because a mount is busy', { answer: 500 }],
    ['and does not answer', 'blackhole'],
  ])('%s: jobs are done one after the other, and everything goes once it can', async (_, fault) => {
    await using scenario = await EngineScenario.open(engine);
    let isBroken = true;
    scenario.proxy.plan = ({ name }) => (isBroken && name === 'remove' ? fault : 'pass');
    scenario.startAgent();
    const jobs: string[] = [];
    for (const _job of [1, 2, 3]) {
      const job = scenario.addJob();
      jobs.push(job);
      await scenario.runs(job);
      await scenario.goOn(job);
      await scenario.hears(job, 'reported SUCCEEDED');
    }
    expect(jobs.map((job) => scenario.words(job))).toEqual(jobs.map(() => ['claimed', 'reported SUCCEEDED']));
    await scenario.stopAgent();
    isBroken = false;
    scenario.startAgent();
    await scenario.untilExhausted();
  });
});
