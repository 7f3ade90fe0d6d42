import { expect, test } from 'vitest';
import type { DockerRuntime } from '../../../../../src/runtime/docker/docker-runtime.ts';
import { EngineProxy } from '../../../../support/engine/engine-proxy.ts';
import { rejection } from '../../../../support/engine/rejection.ts';
import { testPlan, testRuntime } from '../../../../support/engine/runtime.ts';
import { scriptedEngine } from '../../../../support/engine/scripted-engine.ts';

const calls: readonly (readonly [
  string,
  (runtime: DockerRuntime, signal: AbortSignal) => Promise<unknown>,
])[] = [
  ['probe', (runtime, signal) => runtime.probe(signal)],
  ['ping', (runtime, signal) => runtime.ping(signal)],
  ['create', (runtime) => runtime.create(testPlan())],
  ['start', (runtime) => runtime.start('abc')],
  ['stop', (runtime) => runtime.stop('abc', 10)],
  ['remove', (runtime) => runtime.remove('abc')],
  ['list', (runtime) => runtime.list()],
  ['diskBytes', (runtime, signal) => runtime.diskBytes('abc', signal)],
  ['find', (runtime) => runtime.images.find('sharedcloud/python36')],
  ['prepare', (runtime, signal) => runtime.images.prepare('sharedcloud/python36', signal)],
];
const soon = (): AbortSignal => AbortSignal.timeout(10_000);

test.each(calls)('%s at an engine that hangs fails with a hint at its deadline', async (_, call) => {
  await using engine = await EngineProxy.hanging();
  const deadlines = { inspectMs: 50, stopMs: 50, createMs: 50, eventsMs: 50 };
  const error = await rejection(call(testRuntime(engine.host, { deadlines }).runtime, soon()));
  expect(error).toMatchObject({ code: 'RUNTIME_UNAVAILABLE', hint: expect.any(String) as unknown });
});

test('probe at a server that is no engine says so', async () => {
  await using server = await scriptedEngine(() => ({ status: 404 }));
  const error = await rejection(testRuntime(server.host).runtime.probe(soon()));
  expect(error).toMatchObject({ code: 'RUNTIME_UNAVAILABLE', hint: expect.any(String) as unknown });
});

test.each(calls)('%s without an engine fails with a hint', async (_, call) => {
  const error = await rejection(call(testRuntime('unix:///nowhere/docker.sock').runtime, soon()));
  expect(error).toMatchObject({ code: 'RUNTIME_UNAVAILABLE', hint: expect.any(String) as unknown });
});

test.each(['wait', 'follow'] as const)(
  '%s outlasts an unreachable engine until the signal aborts',
  async (name) => {
    await using engine = await EngineProxy.hanging();
    const { runtime } = testRuntime(engine.host, {
      deadlines: { inspectMs: 20, stopMs: 20, createMs: 20, eventsMs: 20 },
    });
    const enough = AbortSignal.timeout(150);
    const ends =
      name === 'wait' ? runtime.wait('abc', enough) : runtime.follow('abc', () => undefined, enough);
    const outcome = await ends.then(
      () => 'quietly',
      (reason: unknown) => reason,
    );
    expect(enough.aborted).toBe(true);
    expect(outcome).toBe(name === 'wait' ? enough.reason : 'quietly');
  },
);

test('refuses a server that is not a Docker engine', async () => {
  await using engine = await scriptedEngine(() => ({ json: { hello: 'world' } }));
  const error = await rejection(testRuntime(engine.host).runtime.probe(soon()));
  expect(error.code).toBe('RUNTIME_UNAVAILABLE');
});
