import { expect, test } from 'vitest';
import { rejection } from '../../../support/engine/rejection.ts';
import { testRuntime } from '../../../support/engine/runtime.ts';
import { scriptedEngine } from '../../../support/engine/scripted-engine.ts';

const IMAGE = `sha256:${'1'.repeat(64)}`;
const INFO = { Driver: 'overlay2', OSType: 'linux', Architecture: 'aarch64' };

test.each([
  ['amd64', 'IMAGE_PLATFORM'],
  ['arm64', 'CONTAINER_UNSTARTABLE'],
  // Imported without a platform
  ['', 'CONTAINER_UNSTARTABLE'],
])('a container of an image for "%s" that cannot be executed on arm64 is %s', async (Architecture, code) => {
  await using engine = await scriptedEngine((path) => {
    if (path === '/containers/abc/start')
      return { status: 500, message: 'OCI runtime start failed: exec /x: exec format error' };
    if (path === '/containers/abc/json')
      return {
        json: { Id: 'abc', Image: IMAGE, Created: '2026-01-01T00:00:00Z', State: { Status: 'created' } },
      };
    if (path.startsWith('/images/')) return { json: { Id: IMAGE, Size: 1, Os: 'linux', Architecture } };
    if (path === '/info') return { json: INFO };
    return path === '/version' ? { json: { Version: '28.0.0', ApiVersion: '1.48' } } : { status: 404 };
  });
  const { runtime } = testRuntime(engine.host);
  expect((await rejection(runtime.start('abc'))).code).toBe(code);
});
