import { createServer } from 'node:http';
import { expect, test } from 'vitest';
import type { DockerRuntime } from '../../../../../src/runtime/docker/docker-runtime.ts';
import { EngineProxy } from '../../../../support/engine/engine-proxy.ts';
import { rejection } from '../../../../support/engine/rejection.ts';
import { testPlan, testRuntime } from '../../../../support/engine/runtime.ts';

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

test.each(calls)('%s at an engine that hangs ends with a hint when its time is up', async (_, call) => {
  await using engine = await EngineProxy.hanging();
  const deadlines = { lookMs: 50, endMs: 50, makeMs: 50 };
  const error = await rejection(call(testRuntime(engine.host, { deadlines }).runtime, soon()));
  expect(error.code).toBe('RUNTIME_UNAVAILABLE');
  expect(error.message).toContain('no answer in 50 ms');
  expect(error.hint).toContain('journalctl');
});

test.each(calls)('%s without an engine asks whether Docker runs', async (_, call) => {
  const error = await rejection(call(testRuntime('unix:///nowhere/docker.sock').runtime, soon()));
  expect(error.code).toBe('RUNTIME_UNAVAILABLE');
  expect(error.hint).toContain('is Docker installed and running');
});

test.each(['wait', 'follow'] as const)(
  '%s outlasts an engine that is away, until the signal',
  async (name) => {
    await using engine = await EngineProxy.hanging();
    const { runtime } = testRuntime(engine.host, { deadlines: { lookMs: 20, endMs: 20, makeMs: 20 } });
    const enough = AbortSignal.timeout(700);
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

test('something that is no Docker engine is called that', async () => {
  const server = createServer((_, response) => response.end('{"hello": "world"}'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    const error = await rejection(testRuntime(`tcp://127.0.0.1:${port}`).runtime.probe(soon()));
    expect(error.code).toBe('RUNTIME_UNAVAILABLE');
    expect(error.message).toContain('is not a Docker engine');
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});
