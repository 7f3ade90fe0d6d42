import { describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { TestEnv } from '../../support/agent/test-env.ts';

const HELLO = `function handler(event) { console.log('hi', event[0]); return event[0] * 2 }`;

describe('an agent with --once', () => {
  test('ends at once on an empty market', async () => {
    await using env = await TestEnv.open();
    await using agent = await env.open();
    await agent.run();
    expect(agent.journal.history(10)).toEqual([]);
  });

  test('runs all jobs that it should, each once, and none below its ask', async () => {
    await using env = await TestEnv.open();
    const parameters = `(${Array.from({ length: 20 }, (_, n) => `(${n},)`).join(', ')},)`;
    const good = env.addRun(HELLO, parameters);
    const cheap = env.addRun(HELLO, '((1,),)', { bidPrice: 0.01 });
    const foreign = env.addRun(HELLO, '((1,),)', { image: 'stranger/image:latest' });
    await using agent = await env.open();
    await agent.run();
    const jobs = env.jobsOf(good);
    expect(jobs.map(({ result }) => result)).toEqual(jobs.map((_, n) => String(n * 2)));
    expect(jobs.map(({ stdout }) => stdout)).toEqual(jobs.map((_, n) => `hi ${n}\n`));
    expect(jobs.every(({ cost, status }) => status === JOB_STATUS.SUCCEEDED && (cost ?? 0) > 0)).toBe(true);
    for (const run of [cheap, foreign]) {
      expect(env.jobsOf(run).map(({ status }) => status)).toEqual([JOB_STATUS.CREATED]);
    }
    const reasons = env.events.flatMap((event) =>
      event.kind === 'run-skipped' ? [[event.run.uuid, event.reason]] : [],
    );
    expect(reasons).toContainEqual([cheap, 'bid-below-ask']);
    expect(reasons).toContainEqual([foreign, 'image-not-allowed']);
    expect(env.count('job-started')).toBe(20);
    expect(await agent.runtime.list()).toEqual([]);
    expect(agent.journal.history(100).every(({ state }) => state.name === 'reported')).toBe(true);
  });
});
