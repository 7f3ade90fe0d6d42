import { describe, expect, test } from 'vitest';
import type { House } from '../../support/agent/harness.ts';
import { openHouse } from '../../support/agent/harness.ts';
import { type Fault, type FaultPlan, faults, HttpProxy } from '../../support/faults/http-proxy.ts';

const QUICK = `function handler(event) { return event[0] }`;

/** Works the market off through a front that misbehaves; answers the calls that it saw. */
async function workOff(house: House, plan: FaultPlan): Promise<HttpProxy['calls']> {
  await using front = await HttpProxy.open(house.url, plan);
  const opened = await house.open({ url: front.url });
  try {
    await opened.agent.run();
  } finally {
    await opened.close();
  }
  return front.calls;
}

describe('with --once a bad broker is got through, and the agent ends', () => {
  test('where every second try of each call fails, in one way after the other', async () => {
    await using house = await openHouse();
    const run = house.addRun(QUICK, '((1,), (2,), (3,))');
    const bad: readonly Fault[] = [
      faults.serverError,
      faults.html,
      faults.cutBefore,
      faults.cutAfter,
      faults.cutMidway,
      faults.truncate,
    ];
    await workOff(house, ({ count, total }) => (count % 2 === 0 ? bad[total % bad.length] : undefined));
    expect(house.broker.store.jobsOf(run).map(({ result }) => result)).toEqual(['1', '2', '3']);
  }, 60_000);

  test.each([403, 404, 409])(
    'where every claim is answered %i: it is not claimed in a hot loop',
    async (status) => {
      await using house = await openHouse();
      house.addRun(QUICK, '((1,), (2,))');
      const isClaim = ({ method, path }: HttpProxy['calls'][number]): boolean =>
        method === 'PATCH' && path.includes('/jobs/');
      const calls = await workOff(house, (call) =>
        isClaim(call) ? faults.answer(status, '{"detail": "No."}') : undefined,
      );
      expect(calls.filter(isClaim).length).toBeLessThan(20);
    },
    60_000,
  );

  test('where a GPU and an instance make no sense: each is told once, and the run is done', async () => {
    await using house = await openHouse();
    const run = house.addRun(QUICK, '((5,),)');
    await workOff(house, ({ method, path }) =>
      method === 'GET' && /\/(?:gpus|instances)\/$/.test(path)
        ? faults.answer(200, '[{"uuid": "odd"}]')
        : undefined,
    );
    expect(house.broker.store.jobsOf(run)[0]?.result).toBe('5');
    for (const what of ['gpu', 'instance'])
      expect(house.log.filter((line) => line.includes(`"${what}":"odd"`))).toHaveLength(1);
  }, 60_000);

  test('where the best runs have functions that make no sense: the run below them is done', async () => {
    await using house = await openHouse();
    for (let n = 0; n < 12; n += 1) house.addRun(QUICK, '((1,),)', { bidPrice: 0.9 });
    const broken = house.broker.store.functions.all().map(({ uuid }) => uuid);
    const good = house.addRun(QUICK, '((5,),)');
    await workOff(house, ({ path }) =>
      broken.some((uuid) => path.includes(`/functions/${uuid}/`)) ? faults.answer(200, '{}') : undefined,
    );
    expect(house.broker.store.jobsOf(good)[0]?.result).toBe('5');
  }, 60_000);

  test('where it says to come back tomorrow: the agent ends at once, and says so', async () => {
    await using house = await openHouse();
    const began = performance.now();
    await expect(workOff(house, () => faults.tooMany(99_999))).rejects.toMatchObject({
      code: 'BROKER_UNAVAILABLE',
    });
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});
