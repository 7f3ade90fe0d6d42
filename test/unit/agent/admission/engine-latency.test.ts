import { expect, test } from 'vitest';
import { EngineLatency, type TimedCall } from '../../../../src/agent/admission/engine-latency.ts';
import type { AgentEvent } from '../../../../src/agent/events/events.ts';

/** Calls take as long as they are said to, by a clock that only they move. */
function timed() {
  let now = 0;
  const events: AgentEvent[] = [];
  const latency = new EngineLatency({
    clock: { monotonic: () => now },
    observe: (event) => events.push(event),
  });
  const call = async (name: TimedCall, ms: number, times = 1): Promise<void> => {
    for (let time = 0; time < times; time += 1) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const timing = latency.time(name, promise);
      now += ms;
      resolve();
      await timing;
    }
  };
  const kinds = (): readonly string[] => events.map(({ kind }) => kind);
  return { call, events, kinds, latency, pass: (ms: number) => (now += ms) };
}

test.each<[string, ReadonlyArray<[TimedCall, number, number?]>]>([
  ['every ping takes a second', [['ping', 1_000, 2]]],
  [
    'a container is slowly created and started',
    [
      ['create', 5_200],
      ['start', 10_300],
    ],
  ],
  [
    'one ping in ten takes long',
    [
      ['ping', 5_000],
      ['ping', 5, 9],
      ['ping', 5_000],
    ],
  ],
  ['only listing takes long', [['list', 20_000]]],
])('is degraded where %s, and says so once', async (_, calls) => {
  const { call, events, kinds, latency } = timed();
  for (let round = 0; round < 3; round += 1) for (const one of calls) await call(...one);
  expect(kinds()).toEqual(['engine-degraded']);
  expect(latency.degraded).toBeDefined();
  expect(events[0]).toMatchObject({
    slow: calls
      .filter(([name], at) => calls.findIndex(([other]) => other === name) === at)
      .map(([name]) => ({ call: name })),
  });
});

test('is not degraded by one slow call, nor by a busy host', async () => {
  const { call, kinds } = timed();
  await call('ping', 20_000);
  await call('ping', 900, 40);
  await call('create', 3_000, 5);
  await call('start', 6_000, 5);
  await call('list', 2_000, 5);
  expect(kinds()).toEqual([]);
});

test('recovers once no call is slow any more, or they are long ago', async () => {
  const { call, kinds, latency, pass } = timed();
  await call('ping', 2_000, 2);
  await call('ping', 5, 49);
  expect(kinds()).toEqual(['engine-degraded']);
  await call('ping', 5);
  expect(kinds()).toEqual(['engine-degraded', 'engine-recovered']);
  expect(latency.degraded).toBeUndefined();
  await call('create', 6_000, 2);
  pass(1_000_000);
  await call('ping', 5);
  expect(kinds().slice(2)).toEqual(['engine-degraded', 'engine-recovered']);
});

test('a call that fails late was slow, too', async () => {
  const { kinds, latency, pass } = timed();
  for (let time = 0; time < 2; time += 1) {
    const { promise, reject } = Promise.withResolvers<never>();
    const timing = latency.time('create', promise).catch(() => undefined);
    pass(60_000);
    reject(new Error('no answer'));
    await timing;
  }
  expect(kinds()).toEqual(['engine-degraded']);
});
