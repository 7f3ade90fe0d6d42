import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RegistryCredentials } from '../../../src/runtime/docker/registry/credentials.ts';
import { BUSYBOX, describeDocker } from '../../support/engine/docker.ts';
import { OwnRegistry, REGISTRY_PASSWORD, REGISTRY_USER } from '../../support/engine/own-registry.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testPlan, testRuntime } from '../../support/engine/runtime.ts';
import { refuse, ScriptedRegistry } from '../../support/engine/scripted-registry.ts';

const soon = (): AbortSignal => AbortSignal.timeout(60_000);

describeDocker('a private image', (engine) => {
  let directory = '';
  let registry: OwnRegistry;
  let ref = '';

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'docker-config-'));
    registry = await OwnRegistry.start({ kind: 'private' });
    ref = await registry.push(engine, BUSYBOX, 'private/busybox');
  }, 60_000);

  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await rm(directory, { recursive: true });
  });

  /** As `docker login` writes it. */
  const login = (password: string): Promise<void> => {
    const auth = Buffer.from(`${REGISTRY_USER}:${password}`).toString('base64');
    return writeFile(
      join(directory, 'config.json'),
      JSON.stringify({ auths: { [registry.host]: { auth } } }),
    );
  };

  const runtimeWithLogins = () =>
    testRuntime(engine.host, {
      credentials: new RegistryCredentials({
        directory,
        onSecret: () => undefined,
        onProblem: (problem) => expect.fail(problem.message),
      }),
    }).runtime;

  const forget = async (): Promise<void> => {
    await engine.docker.getImage(ref).remove({ force: true });
  };

  test('is denied without credentials and with wrong ones, and pulled once they are right', async () => {
    const anonymous = testRuntime(engine.host).runtime;
    expect((await rejection(anonymous.images.prepare(ref, soon()))).code).toBe('REGISTRY_DENIED');
    const runtime = runtimeWithLogins();
    await login('wrong-password');
    const error = await rejection(runtime.images.prepare(ref, soon()));
    expect(error.code).toBe('REGISTRY_DENIED');
    expect(JSON.stringify([error.message, error.hint])).not.toContain('wrong-password');
    // The file is read again.
    await login(REGISTRY_PASSWORD);
    const ready = await runtime.images.prepare(ref, soon());
    expect(ready.id).toMatch(new RegExp(`^${registry.host}/private/busybox@sha256:[0-9a-f]{64}$`));
    await forget();
  });

  test('is used by its digest, and its container has nothing of the credentials', async () => {
    await login(REGISTRY_PASSWORD);
    const runtime = runtimeWithLogins();
    const { id } = await runtime.images.prepare(ref, soon());
    expect(await runtime.images.prepare(id, soon())).toMatchObject({ id });
    const container = await runtime.create(testPlan({ image: id, inputDir: directory }));
    const inspected = JSON.stringify(await engine.docker.getContainer(container).inspect());
    await runtime.remove(container);
    await forget();
    expect(inspected).toContain(id);
    expect(inspected).not.toContain(REGISTRY_PASSWORD);
    expect(inspected).not.toContain(Buffer.from(`${REGISTRY_USER}:${REGISTRY_PASSWORD}`).toString('base64'));
  });

  test('of a pinned digest is pulled with credentials too, and its platform is asked with them', async () => {
    await login(REGISTRY_PASSWORD);
    const { id } = await runtimeWithLogins().images.prepare(ref, soon());
    await forget();
    expect(await testRuntime(engine.host).runtime.images.isForeign(id, soon())).toBe(false);
    expect((await runtimeWithLogins().images.prepare(id, soon())).id).toBe(id);
    await engine.docker.getImage(id).remove({ force: true });
  });

  test('sends its credentials to no other registry, whatever that asks for', async () => {
    await login(REGISTRY_PASSWORD);
    const headers = { 'www-authenticate': 'Basic realm="x"' };
    await using other = await ScriptedRegistry.start((_, response) => {
      refuse(response, 401, 'UNAUTHORIZED', 'authentication required', headers);
      return true;
    });
    const wanted = `${other.host}/private/busybox:latest`;
    const error = await rejection(runtimeWithLogins().images.prepare(wanted, soon()));
    expect(error.code).toBe('REGISTRY_DENIED');
    expect(other.seen.length).toBeGreaterThan(0);
    expect(other.seen.filter(({ headers }) => headers.authorization !== undefined)).toEqual([]);
  });
});
