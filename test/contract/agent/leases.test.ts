import { expect, test, vi } from 'vitest';
import { JOB_STATUS } from '../../../src/domain/job.ts';
import { type House, openHouse } from '../../support/agent/harness.ts';
import { HostileFront, misdeeds } from '../../support/broker/hostile.ts';

const LONG = `function handler(event) { return new Promise((done) => setTimeout(() => done(event[0]), event[0])) }`;

/** What happened to jobs at the broker, in order. */
function heardBy(house: House): string[] {
  const kinds: string[] = [];
  house.broker.store.onEvent((event) => {
    if ('job' in event) kinds.push(event.kind);
  });
  return kinds;
}

const kindsOf = (house: House) => house.events.map(({ kind }) => kind);
const until = (check: () => void, timeout = 15_000) => vi.waitFor(check, { timeout, interval: 20 });

test('while the agent drains, a token that is replaced costs no lease', async () => {
  await using house = await openHouse({ leaseSeconds: 3 });
  const heard = heardBy(house);
  const run = house.addRun(LONG, '((5000,),)');
  let isNew = false;
  await using front = new HostileFront(house.url);
  const opened = await house.open({
    url: await front.listen(),
    slots: 1,
    settings: { once: false },
    reloadToken: async () => {
      const isAnother = !isNew;
      isNew = true;
      return Promise.resolve(isAnother);
    },
  });
  const running = opened.agent.run();
  await until(() => expect(kindsOf(house)).toContain('job-started'));
  const drained = opened.agent.drain();
  // The old one is revoked, and the new one lies in the file already.
  front.plan = () => (isNew ? undefined : misdeeds.unauthorized);
  await drained;
  await running;
  expect(house.broker.store.jobsOf(run)[0]).toMatchObject({ status: JOB_STATUS.SUCCEEDED, result: '5000' });
  expect(heard).toEqual(['claimed', 'reported']);
  await opened.close();
});
