import { describe, expect, test } from 'vitest';
import { HttpBroker } from '../../../src/broker/client.ts';
import { Transport } from '../../../src/broker/transport.ts';
import { inSlices } from '../../../src/lib/slices.ts';
import { openDesk, TOKEN } from '../../support/broker/desk.ts';
import { anOffer, aRun } from '../../support/domain.ts';
import { faults, HttpProxy } from '../../support/faults/http-proxy.ts';
import { logged } from '../../support/log/log-into.ts';
import { MINUTE, Recording, START } from '../../support/market/recording.ts';

/** A broker, our client behind a proxy, and a recorder; `polls`: what the whole list was answered with. */
async function openMarket() {
  await using opened = new AsyncDisposableStack();
  const desk = opened.use(await openDesk());
  const proxy = opened.use(await HttpProxy.open(desk.url));
  const polls: (number | undefined)[] = [];
  const transport = new Transport(proxy.url, { current: async () => TOKEN }, {}, {}, ({ path, status }) => {
    if (path === '/api/v1/runs') polls.push(status);
  });
  opened.defer(() => transport.close());
  const recording = opened.use(await Recording.open(new HttpBroker(transport)));
  const kept = opened.move();
  return { desk, proxy, recording, polls, [Symbol.asyncDispose]: () => kept.disposeAsync() };
}

const isPoll = ({ method, path }: { readonly method: string; readonly path: string }): boolean =>
  method === 'GET' && path === '/api/v1/runs';

describe('the market history', () => {
  test('has one interval for each time that a run was open', async () => {
    await using market = await openMarket();
    const { desk, recording } = market;
    const { run: first } = desk.addRun({ bidPrice: 0.2 });
    await recording.poll();
    await recording.poll();
    const { run: second } = desk.addRun({ bidPrice: 0.3 });
    await recording.poll();
    desk.store.market.delete(first, true);
    await recording.poll();
    expect(await recording.seen()).toEqual([
      { run: first, bid: 0.2, jobs: 1, minutes: [1, 3] },
      { run: second, bid: 0.3, jobs: 1, minutes: [3, 4] },
    ]);
  });

  test('goes on over a restart, and an interval over a time without polls', async () => {
    await using market = await openMarket();
    const { desk, recording } = market;
    const { run } = desk.addRun();
    const { run: gone } = desk.addRun({ bidPrice: 0.9 });
    await recording.poll();
    await recording.poll();
    recording.restart();
    desk.store.market.delete(gone, true);
    await recording.poll(30);
    expect(await recording.seen()).toEqual([
      { run, bid: 0.5, jobs: 1, minutes: [1, 32] },
      { run: gone, bid: 0.9, jobs: 1, minutes: [1, 2] },
    ]);
  });

  test('goes on where the broker says that its list is the same, and the time counts as known', async () => {
    await using market = await openMarket();
    const { desk, polls, recording } = market;
    const { run } = desk.addRun();
    const offer = anOffer();
    recording.offers = [{ offer, state: 'online', runs: [aRun({ uuid: run, bidPrice: 0.5 })] }];
    for (let at = 0; at < 4; at += 1) await recording.poll();
    expect(polls).toEqual([200, 304, 304, 304]);
    desk.store.market.delete(run, true);
    await recording.poll();
    await recording.poll();
    expect(polls.slice(4)).toEqual([200, 304]);
    // What was sent under a tag is not known any more after a restart.
    recording.restart();
    await recording.poll();
    expect(polls.slice(6)).toEqual([200]);
    expect(await recording.seen()).toEqual([{ run, bid: 0.5, jobs: 1, minutes: [1, 4] }]);
    const all = { from: 0, until: START * 2 };
    const online = [{ from: START + MINUTE, until: START + 7 * MINUTE }];
    expect(recording.history.coverage(offer.key, all)).toMatchObject({ online, lastPoll: online[0]?.until });
  });

  test('knows what functions of recorded runs need', async () => {
    await using market = await openMarket();
    const { desk, recording } = market;
    desk.addRun({ function: desk.fn.gpu });
    await recording.poll();
    const { runs } = await inSlices(recording.history.observed({ from: 0, until: START * 2 }, 10));
    expect(runs).toMatchObject([
      { known: { image: 'sharedcloud/tensorflow-gpu-python36:1.2', requiresGpu: true, runtime: 'python36' } },
    ]);
  });

  test('has what others ask, and not what this host asks', async () => {
    await using market = await openMarket();
    const { desk, recording } = market;
    const own = desk.addInstance(0.1);
    for (const instance of [own, desk.addInstance(0.4)])
      await desk.call('PATCH', `/instances/${instance}/start/`, { json: {} });
    recording.offers = [{ offer: anOffer({ instance: own }), state: 'online', runs: [] }];
    await recording.poll();
    await recording.poll(30);
    const asks = () => recording.history.asks('cpu', { from: 0, until: START * 2 });
    expect(asks()).toMatchObject([{ at: START + MINUTE, ask: 0.4, offers: 1 }]);
    await recording.poll(31);
    expect(asks()).toHaveLength(2);
  });

  test('leaves a gap where the broker does not answer, and has each run once', async () => {
    await using market = await openMarket();
    const { desk, proxy, recording } = market;
    const { run } = desk.addRun();
    await recording.poll();
    proxy.plan = (call) => (isPoll(call) ? faults.serverError : undefined);
    const waits = [await recording.poll(), await recording.poll()];
    expect(waits[1]).toBeGreaterThanOrEqual(MINUTE);
    proxy.plan = () => undefined;
    await recording.poll();
    expect(await recording.seen()).toEqual([{ run, bid: 0.5, jobs: 1, minutes: [1, 4] }]);
    expect(logged(recording.log, 'market-poll-refused')).toEqual([]);
  });

  test('falls back to the offers’ own polls where the broker refuses, says so once, and asks again a day later', async () => {
    await using market = await openMarket();
    const { desk, proxy, recording } = market;
    const runs = [aRun({ uuid: 'seen' })];
    recording.offers = [{ offer: anOffer(), state: 'online', runs }];
    proxy.plan = (call) => (isPoll(call) ? faults.serverError : undefined);
    let polls = 0;
    proxy.plan = (call) => {
      if (!isPoll(call)) return undefined;
      polls += 1;
      return faults.serverError;
    };
    for (let at = 0; at < 10; at += 1) await recording.poll();
    expect(polls).toBe(3);
    expect(logged(recording.log, 'market-poll-refused')).toHaveLength(1);
    expect(await recording.seen()).toMatchObject([{ run: 'seen', minutes: [3, 10] }]);
    proxy.plan = () => undefined;
    const { run } = desk.addRun();
    recording.offers = [];
    await recording.poll(24 * 60);
    expect(await recording.seen()).toMatchObject([{ run: 'seen' }, { run }]);
    expect(logged(recording.log, 'market-poll-resumed')).toHaveLength(1);
  });

  test('ends the interval of a run whose jobs are taken, as the offers’ own polls show, and begins another', async () => {
    await using market = await openMarket();
    const { desk, recording } = market;
    const { run } = desk.addRun();
    const listed = aRun({ uuid: run, bidPrice: 0.5 });
    const offer = anOffer({ askPrice: 0.1 });
    recording.offers = [{ offer, state: 'online', runs: [listed] }];
    await recording.poll();
    await recording.poll();
    recording.offers = [{ offer, state: 'online', runs: [] }];
    await recording.poll();
    await recording.poll();
    recording.offers = [{ offer, state: 'online', runs: [listed] }];
    await recording.poll();
    expect(await recording.seen()).toMatchObject([{ minutes: [1, 2] }, { minutes: [5, 5] }]);
  });
});
