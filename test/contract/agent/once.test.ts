import { describe, expect, test } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { openHouse } from '../../support/agent/harness.ts';

const HELLO = `function handler(event) { console.log('hi', event[0]); return event[0] * 2 }`;

describe('an agent with --once', () => {
  test('ends at once on an empty market', async () => {
    await using house = await openHouse();
    const opened = await house.open();
    await opened.agent.run();
    expect(opened.journal.history(10)).toEqual([]);
    await opened.close();
  });

  test('runs all jobs that it should, each once, and none below its ask', async () => {
    await using house = await openHouse();
    const parameters = `(${Array.from({ length: 20 }, (_, n) => `(${n},)`).join(', ')},)`;
    const good = house.addRun(HELLO, parameters);
    const cheap = house.addRun(HELLO, '((1,),)', { bidPrice: 0.01 });
    const foreign = house.addRun(HELLO, '((1,),)', { image: 'stranger/image:latest' });
    const opened = await house.open();
    await opened.agent.run();
    const jobs = house.broker.store.jobsOf(good);
    expect(jobs.map(({ result }) => result)).toEqual(jobs.map((_, n) => String(n * 2)));
    expect(jobs.map(({ stdout }) => stdout)).toEqual(jobs.map((_, n) => `hi ${n}\n`));
    expect(jobs.every(({ cost, status }) => status === JOB_STATUS.SUCCEEDED && (cost ?? 0) > 0)).toBe(true);
    for (const run of [cheap, foreign]) {
      expect(house.broker.store.jobsOf(run).map(({ status }) => status)).toEqual([JOB_STATUS.CREATED]);
    }
    const reasons = house.events.flatMap((event) =>
      event.kind === 'run-skipped' ? [[event.run.uuid, event.reason]] : [],
    );
    expect(reasons).toContainEqual([cheap, 'bid-below-ask']);
    expect(reasons).toContainEqual([foreign, 'image-not-allowed']);
    expect(house.events.filter(({ kind }) => kind === 'job-started')).toHaveLength(20);
    expect(await opened.runtime.list()).toEqual([]);
    expect(opened.journal.history(100).every(({ state }) => state.name === 'reported')).toBe(true);
    await opened.close();
  });
});
