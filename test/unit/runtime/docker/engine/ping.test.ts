import { describe, expect, onTestFinished, test } from 'vitest';
import type { DockerRuntime } from '../../../../../src/runtime/docker/docker-runtime.ts';
import { engineStandIn } from '../../../../support/cli/engine-stand-in.ts';
import { rejection } from '../../../../support/engine/rejection.ts';
import { testRuntime } from '../../../../support/engine/runtime.ts';
import { scriptedEngine } from '../../../../support/engine/scripted-engine.ts';
import { httpServer } from '../../../../support/faults/server.ts';

/** A runtime with an engine that answers every call with this status. */
async function answering(status: number): Promise<DockerRuntime> {
  const engine = await scriptedEngine(() => ({ status }));
  onTestFinished(() => engine[Symbol.asyncDispose]());
  return testRuntime(engine.host).runtime;
}

describe('a ping', () => {
  test.each([200, 403, 404])('resolves after an answer of %d', async (status) => {
    const runtime = await answering(status);
    await expect(runtime.ping(AbortSignal.timeout(5_000))).resolves.toBeUndefined();
  });

  test.each([500, 502, 503])(
    'rejects after an answer of %d, which a proxy without its engine gives',
    async (status) => {
      const runtime = await answering(status);
      expect((await rejection(runtime.ping(AbortSignal.timeout(5_000)))).code).toBe('RUNTIME_UNAVAILABLE');
    },
  );
});

test('that an engine swallowed does not keep the next one from being answered', async () => {
  let calls = 0;
  const engine = await httpServer((_, response) => {
    calls += 1;
    if (calls > 1) response.writeHead(200).end('OK');
  });
  onTestFinished(() => engine[Symbol.asyncDispose]());
  const { runtime } = testRuntime(engine.dockerHost);
  await runtime.ping(AbortSignal.timeout(15_000));
  expect(calls).toBe(2);
});

test('knows the storage path once the engine was asked', async () => {
  await using engine = await engineStandIn({ DockerRootDir: '/data/docker' });
  const { runtime } = testRuntime(engine.host);
  expect(runtime.storagePath).toBeUndefined();
  await runtime.facts(AbortSignal.timeout(5_000));
  expect(runtime.storagePath).toBe('/data/docker');
});
