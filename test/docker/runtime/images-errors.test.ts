import { randomUUID } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { expect, test } from 'vitest';
import type { ErrorCode } from '../../../src/domain/errors.ts';
import { describeDocker } from '../../support/engine/docker.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { type Instead, refuse, ScriptedRegistry } from '../../support/engine/scripted-registry.ts';
import type { Seen } from '../../support/faults/server.ts';

const soon = (): AbortSignal => AbortSignal.timeout(60_000);

/** Answers every request for a part of a registry. */
const at =
  (part: string, answer: (response: ServerResponse, seen: Seen) => void): Instead =>
  (seen, response) => {
    if (!seen.url.includes(part)) return false;
    answer(response, seen);
    return true;
  };

/** A registry whose tokens come from a server of this behaviour. */
const withTokens =
  (answer: (response: ServerResponse) => void): Instead =>
  (seen, response) => {
    if (seen.url.startsWith('/token')) answer(response);
    else {
      const realm = `Bearer realm="http://${seen.headers.host}/token",service="test"`;
      refuse(response, 401, 'UNAUTHORIZED', 'authentication required', { 'www-authenticate': realm });
    }
    return true;
  };

const page = (status: number) => (response: ServerResponse) =>
  void response.writeHead(status, { 'content-type': 'text/html' }).end(`<html><h1>${status}</h1></html>`);

const CASES: readonly (readonly [string, Instead, ErrorCode])[] = [
  [
    'asks for a password',
    at('/v2/', (response) =>
      refuse(response, 401, 'UNAUTHORIZED', 'authentication required', {
        'www-authenticate': 'Basic realm="x"',
      }),
    ),
    'REGISTRY_DENIED',
  ],
  ['has a token server that refuses', withTokens(page(401)), 'REGISTRY_DENIED'],
  [
    'gives a token that is not enough',
    (seen, response) => {
      if (!seen.url.startsWith('/token')) return withTokens(page(500))(seen, response);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"token":"t","expires_in":300}');
      return true;
    },
    'REGISTRY_DENIED',
  ],
  [
    'denies the repository',
    at('/manifests/', (response) => refuse(response, 403, 'DENIED', 'requested access is denied')),
    'REGISTRY_DENIED',
  ],
  [
    'limits pulls',
    at('/manifests/', (response) =>
      refuse(response, 429, 'TOOMANYREQUESTS', 'You have reached your pull rate limit.', {
        'retry-after': '60',
      }),
    ),
    'REGISTRY_RATE_LIMITED',
  ],
  ['limits pulls with a page', at('/manifests/', page(429)), 'REGISTRY_RATE_LIMITED'],
  ['has a token server that limits', withTokens(page(429)), 'REGISTRY_RATE_LIMITED'],
  [
    'limits layers',
    at('/blobs/', (response) => refuse(response, 429, 'TOOMANYREQUESTS', 'Rate exceeded')),
    'REGISTRY_RATE_LIMITED',
  ],
  [
    'does not know the repository',
    at('/manifests/', (response) => refuse(response, 404, 'NAME_UNKNOWN', 'repository name not known')),
    'IMAGE_NOT_FOUND',
  ],
  ['does not know the tag', at('/nowhere/', () => undefined), 'IMAGE_NOT_FOUND'],
  ['fails', at('/manifests/', page(500)), 'REGISTRY_UNAVAILABLE'],
  ['is behind a gateway without it', at('/v2/', page(503)), 'REGISTRY_UNAVAILABLE'],
  ['has a token server that fails', withTokens(page(500)), 'REGISTRY_UNAVAILABLE'],
  ['breaks the connection', at('/manifests/', (response) => response.destroy()), 'REGISTRY_UNREACHABLE'],
];

describeDocker('a pull from a registry that', (engine) => {
  test.each(CASES)('%s', async (name, instead, code) => {
    await using registry = await ScriptedRegistry.start(instead);
    const known = registry.image(`a/${randomUUID()}`, {});
    const ref = name === 'does not know the tag' ? known.replace(':latest', ':other') : known;
    const { runtime } = testRuntime(engine.host);
    const error = await rejection(runtime.images.prepare(ref, soon()));
    expect([error.code, error.message]).toEqual([code, expect.stringContaining(ref)]);
    expect(await runtime.images.isForeign(ref, soon())).toBe(false);
  });

  test('serves something else than an image', async () => {
    await using registry = await ScriptedRegistry.start();
    const refs = [
      registry.manifest(`a/${randomUUID()}`, '{', 'application/vnd.docker.distribution.manifest.v2+json'),
      registry.manifest(`a/${randomUUID()}`, '{"schemaVersion":2}', 'application/vnd.docker.plugin.v1+json'),
      registry.manifest(
        `a/${randomUUID()}`,
        JSON.stringify({ schemaVersion: 1, fsLayers: [], history: [], signatures: [] }),
        'application/vnd.docker.distribution.manifest.v1+prettyjws',
      ),
    ];
    const { runtime } = testRuntime(engine.host);
    const failed = await Promise.all(refs.map((ref) => rejection(runtime.images.prepare(ref, soon()))));
    expect(failed.map(({ code }) => code)).toEqual(refs.map(() => 'IMAGE_UNSUPPORTED'));
  });

  test('names the wait in its text is reported with that wait', async () => {
    const text = 'retry-after: 41.5s, allowed: 44000/minute';
    await using registry = await ScriptedRegistry.start(
      at('/blobs/', (response) => refuse(response, 429, 'TOOMANYREQUESTS', text)),
    );
    const ref = registry.image(`a/${randomUUID()}`, {});
    const { runtime } = testRuntime(engine.host);
    const error = await rejection(runtime.images.prepare(ref, soon()));
    expect([error.code, error.retryAfterMs]).toEqual(['REGISTRY_RATE_LIMITED', 41_500]);
  });

  test.each([
    ['does not answer', 'localhost:1/a/b:latest'],
    ['has no address', 'registry.invalid/a/b:latest'],
  ])('%s', async (_, ref) => {
    const { runtime } = testRuntime(engine.host);
    expect((await rejection(runtime.images.prepare(ref, soon()))).code).toBe('REGISTRY_UNREACHABLE');
  });
});
