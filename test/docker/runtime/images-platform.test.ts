import { randomUUID } from 'node:crypto';
import { arch } from 'node:os';
import { expect, test } from 'vitest';
import { describeDocker, type TestEngine } from '../../support/engine/docker.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testPlan, testRuntime } from '../../support/engine/runtime.ts';
import { type PlatformFields, ScriptedRegistry } from '../../support/engine/scripted-registry.ts';

const soon = (): AbortSignal => AbortSignal.timeout(60_000);
const linux = (architecture: string, variant?: string): PlatformFields => ({
  os: 'linux',
  architecture,
  ...(variant === undefined ? {} : { variant }),
});
const OWN = linux(arch() === 'arm64' ? 'arm64' : 'amd64');
const OTHER = arch() === 'arm64' ? linux('amd64') : linux('arm64', 'v8');
const ATTESTATION = { os: 'unknown', architecture: 'unknown' };

describeDocker('the platform of an image', (engine) => {
  test.each<[string, readonly PlatformFields[]]>([
    ['another architecture', [OTHER]],
    ['32-bit Arm', [linux('arm', 'v7')]],
    ['32-bit Intel', [linux('386')]],
    ['Windows', [{ os: 'windows', architecture: 'amd64' }]],
    ['an attestation', [ATTESTATION]],
    ['a list without this host’s', [OTHER, linux('s390x'), ATTESTATION]],
    ['a list of attestations', [ATTESTATION, ATTESTATION]],
  ])('of %s is refused before any of its layers is downloaded', async (_, platforms) => {
    await using registry = await ScriptedRegistry.start();
    const ref = serve(registry, platforms);
    const { runtime } = testRuntime(engine.host);
    expect((await rejection(runtime.images.prepare(ref, soon()))).code).toBe('IMAGE_PLATFORM');
    expect(await runtime.images.isForeign(ref, soon())).toBe(true);
    expect(await runtime.images.find(ref)).toBeUndefined();
    await expect(engine.docker.getImage(ref).inspect()).rejects.toMatchObject({ statusCode: 404 });
    // The config of a single image names its platform.
    const blobs = registry.seen.flatMap(({ url }) => (url.includes('/blobs/') ? [url] : []));
    expect(new Set(blobs).size).toBeLessThanOrEqual(1);
  });

  test.each<[string, readonly PlatformFields[]]>([
    ['its own architecture', [OWN]],
    ['no platform at all', [{}]],
    ['a list with others', [OTHER, OWN]],
    ['a list with attestations', [ATTESTATION, OWN]],
  ])('of %s is accepted', async (_, platforms) => {
    await using registry = await ScriptedRegistry.start();
    const ref = serve(registry, platforms);
    await using __ = removed(engine, ref);
    const { runtime } = testRuntime(engine.host);
    expect(await runtime.images.isForeign(ref, soon())).toBe(false);
    const ready = await runtime.images.prepare(ref, soon());
    expect(ready.id).toContain('@sha256:');
    expect(ready).toMatchObject({ ...(await runtime.images.find(ref)) });
  });

  test('is checked after the pull where the registry did not say, and the image does not stay', async () => {
    // The second request for a manifest is the first of the pull.
    let asked = 0;
    await using registry = await ScriptedRegistry.start(({ url }, response) => {
      if (!url.includes('/manifests/') || asked > 0) return false;
      asked += 1;
      response.writeHead(503).end();
      return true;
    });
    const ref = registry.image(`a/${randomUUID()}`, OTHER);
    const { runtime } = testRuntime(engine.host);
    const error = await rejection(runtime.images.prepare(ref, soon()));
    expect(error.code).toBe('IMAGE_PLATFORM');
    await expect(engine.docker.getImage(ref).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  test('is checked of an image that is here already, at the claim and at the container', async () => {
    await using registry = await ScriptedRegistry.start();
    const ref = registry.image(`a/${randomUUID()}`, OTHER);
    await pulled(engine, ref);
    await using _ = removed(engine, ref);
    const { runtime } = testRuntime(engine.host);
    expect(await runtime.images.find(ref)).toBeUndefined();
    expect(await runtime.images.isForeign(ref, soon())).toBe(true);
    expect((await rejection(runtime.images.prepare(ref, soon()))).code).toBe('IMAGE_PLATFORM');
    const plan = testPlan({ image: ref });
    expect((await rejection(runtime.create(plan))).code).toBe('IMAGE_PLATFORM');
    // The owner's own image stays.
    await engine.docker.getImage(ref).inspect();
  });
});

function serve(registry: ScriptedRegistry, platforms: readonly PlatformFields[]): string {
  const name = `a/${randomUUID()}`;
  const [only = {}] = platforms;
  return platforms.length === 1 ? registry.image(name, only) : registry.index(name, platforms);
}

async function pulled(engine: TestEngine, ref: string): Promise<void> {
  const progress = await engine.docker.pull(ref);
  await new Promise<void>((resolve, reject) => {
    engine.docker.modem.followProgress(progress, (error) => (error === null ? resolve() : reject(error)));
  });
}

/** Takes an image away again at the end of a scope. */
function removed(engine: TestEngine, ref: string): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      await engine.docker.getImage(ref).remove({ force: true });
    },
  };
}
