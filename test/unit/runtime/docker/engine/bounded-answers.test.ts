import { describe, expect, test } from 'vitest';
import { LIMITS } from '../../../../../src/limits.ts';
import { connectEngine, parseDockerHost } from '../../../../../src/runtime/docker/engine/connection.ts';
import { engineError, readFault } from '../../../../../src/runtime/docker/engine/errors.ts';
import { rejection } from '../../../../support/engine/rejection.ts';
import { testRuntime } from '../../../../support/engine/runtime.ts';
import { type EngineAnswer, scriptedEngine } from '../../../../support/engine/scripted-engine.ts';

const huge = (bytes: number): EngineAnswer => ({ json: { Labels: ['x'.repeat(bytes)] } });

/** What a call of a client throws, and what becomes of it. */
async function thrownBy(answer: EngineAnswer, call = 'info') {
  await using engine = await scriptedEngine(() => answer);
  const docker = connectEngine(parseDockerHost(engine.host));
  const thrown: unknown = await (call === 'info' ? docker.info() : docker.getContainer('abc').logs({})).then(
    () => undefined,
    (error: unknown) => error,
  );
  return { fault: readFault(thrown), error: engineError(thrown, 'ask'), thrown };
}

describe('an answer of the engine', () => {
  test('is taken up to its limit', async () => {
    const { thrown } = await thrownBy(huge(LIMITS.engine.answer.max - 100));
    expect(thrown).toBeUndefined();
  });

  test('over its limit is a failed call', async () => {
    const { error } = await thrownBy(huge(LIMITS.engine.answer.max));
    expect(error.code).toBe('RUNTIME_FAILED');
  });

  test('with an error keeps its status and message', async () => {
    const { fault } = await thrownBy({ status: 409, message: 'a conflict' });
    expect(fault).toMatchObject({ status: 409, message: 'a conflict', isEngine: true });
  });

  test('of a proxy is not the engine’s', async () => {
    expect((await thrownBy({ status: 502 })).fault).toMatchObject({ status: 502, isEngine: false });
  });

  test.each(['info', 'logs'])('with an endless error text keeps its beginning and end: %s', async (call) => {
    const message = `could not open ${'/x'.repeat(2_000_000)}: too many open files`;
    const { error, fault } = await thrownBy({ status: 500, message }, call);
    expect(fault).toMatchObject({ status: 500, isEngine: true });
    expect(fault.message).toMatch(/^could not open .*: too many open files$/s);
    expect(error.message.length).toBeLessThan(LIMITS.engine.error.max + 100);
  });

  test('with more text than any answer keeps its status', async () => {
    const { fault } = await thrownBy({ status: 404, message: 'x'.repeat(LIMITS.engine.answer.max) });
    expect(fault.status).toBe(404);
  });

  test('that is empty is no error', async () => {
    await using engine = await scriptedEngine(() => ({ status: 204 }));
    const docker = connectEngine(parseDockerHost(engine.host));
    await expect(docker.getContainer('abc').remove()).resolves.toBeDefined();
  });
});

test.each(['/json', '/history'])('an image with megabytes of settings (%s) is refused', async (path) => {
  const image = { Id: 'sha256:1', Size: 1, Os: 'linux', Architecture: 'amd64' };
  const { max } = LIMITS.image.description;
  await using engine = await scriptedEngine((asked) => {
    if (!asked.startsWith('/images/')) return { status: 404, message: 'not scripted' };
    if (asked.endsWith(path)) return huge(max);
    return { json: asked.endsWith('/history') ? [] : image };
  });
  const { runtime } = testRuntime(engine.host);
  expect((await rejection(runtime.images.find('sharedcloud/x:latest'))).code).toBe('IMAGE_REFUSED');
});
