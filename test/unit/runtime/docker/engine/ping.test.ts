import { createServer } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { DockerRuntime } from '../../../../../src/runtime/docker/docker-runtime.ts';
import { engineStandIn } from '../../../../support/cli/engine-stand-in.ts';
import { rejection } from '../../../../support/engine/rejection.ts';
import { testRuntime } from '../../../../support/engine/runtime.ts';

/** A runtime with an engine that answers every call with this status. */
async function answering(status: number): Promise<DockerRuntime> {
  const server = createServer((_, response) => response.writeHead(status).end('said'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return testRuntime(`tcp://127.0.0.1:${address.port}`).runtime;
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

test('knows the storage path once the engine was asked', async () => {
  await using engine = await engineStandIn({ DockerRootDir: '/data/docker' });
  const { runtime } = testRuntime(engine.host);
  expect(runtime.storagePath).toBeUndefined();
  await runtime.facts(AbortSignal.timeout(5_000));
  expect(runtime.storagePath).toBe('/data/docker');
});
