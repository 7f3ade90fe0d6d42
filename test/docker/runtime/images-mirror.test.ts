import { mkdtempDisposable, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { BUSYBOX, describeDocker, describeOwnEngine, PYTHON, REGISTRY } from '../../support/engine/docker.ts';
import { OwnRegistry } from '../../support/engine/own-registry.ts';
import { PrivateEngine } from '../../support/engine/private-engine.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testPlan, testRuntime } from '../../support/engine/runtime.ts';

const soon = (): AbortSignal => AbortSignal.timeout(60_000);

describeDocker('an image behind a pull-through cache', (engine) => {
  test('is pulled and named by the cache’s own name', async () => {
    await using cache = await OwnRegistry.start({ kind: 'mirror', of: `http://${REGISTRY}` });
    const ref = `${cache.host}/sharedcloud/busybox:latest`;
    const { runtime } = testRuntime(engine.host);
    const { id } = await runtime.images.prepare(ref, soon());
    expect(id).toMatch(new RegExp(`^${cache.host}/sharedcloud/busybox@sha256:[0-9a-f]{64}$`));
    await engine.docker.getImage(ref).remove({ force: true });
  });
});

describeOwnEngine('an engine with a mirror of Docker Hub', () => {
  // The registry of the test images stands in for Docker Hub's, which has the same paths.
  const mirror = { 'registry-mirrors': [`http://${REGISTRY}`] };

  // Docker 20.10 has one store, and does not know the other.
  describe.each([false, true])('with the containerd store: %s', (containerd) => {
    let engine: PrivateEngine;
    beforeAll(async () => {
      engine = await PrivateEngine.open();
      const config = { ...mirror, features: { 'containerd-snapshotter': containerd } };
      await engine.start({ liveRestore: false, config });
    });
    afterAll(async () => {
      await engine[Symbol.asyncDispose]();
    });

    test.each(['sharedcloud/busybox:latest', 'docker.io/sharedcloud/busybox'])(
      'pulls %s through it, under its own name',
      async (ref) => {
        await using directory = await mkdtempDisposable(join(tmpdir(), 'mirror-'));
        const { runtime } = testRuntime(engine.host, { images: { ...RULES, allowed: ['sharedcloud/*'] } });
        const ready = await runtime.images.prepare(ref, soon());
        expect(ready.id).toMatch(/^sharedcloud\/busybox@sha256:[0-9a-f]{64}$/);
        expect(ready).toMatchObject({ ...(await runtime.images.find(ref)) });
        expect((await runtime.images.prepare(ready.id, soon())).id).toBe(ready.id);
        const plan = testPlan({ image: ready.id, inputDir: directory.path });
        const container = await runtime.create(plan);
        await runtime.remove(container);
      },
    );

    test('fails for an image that it lacks', async () => {
      const { runtime } = testRuntime(engine.host);
      const error = await rejection(runtime.images.prepare('sharedcloud/nothing', soon()));
      // Docker Hub is asked next, and there is no way to it here. containerd reports the mirror's answer all the same.
      expect(error.code).toMatch(/REGISTRY_UNREACHABLE|IMAGE_NOT_FOUND/);
    });

    test('is at fault where its store is damaged, and not the image', async () => {
      const { runtime } = testRuntime(engine.host);
      await runtime.images.prepare(BUSYBOX, soon());
      const { DockerRootDir, Driver } = STORE.parse(await engine.docker.info());
      const blobs = join(dirname(DockerRootDir), 'containerd/io.containerd.content.v1.content/blobs/sha256');
      const [directory, next] =
        Driver === 'overlayfs' ? [blobs, BUSYBOX] : [join(DockerRootDir, 'overlay2/l'), PYTHON];
      // What is here already cannot be read any more, either.
      const { GraphDriver } = LAYERS.parse(await engine.docker.getImage(BUSYBOX).inspect());
      const layer = GraphDriver?.Data?.UpperDir;
      if (Driver === 'overlay2' && layer !== undefined) {
        await rename(dirname(layer), `${dirname(layer)}-away`);
        expect((await rejection(runtime.images.find(BUSYBOX))).code).toBe('IMAGE_STORE_CORRUPT');
        await rename(`${dirname(layer)}-away`, dirname(layer));
      }
      await rm(directory, { recursive: true });
      const error = await rejection(testRuntime(engine.host).runtime.images.prepare(next, soon()));
      expect(error.code).toBe('IMAGE_STORE_CORRUPT');
    });
  });
});

const LAYERS = z.object({
  GraphDriver: z.object({ Data: z.object({ UpperDir: z.string().optional() }).nullish() }).nullish(),
});
const STORE = z.object({ DockerRootDir: z.string(), Driver: z.string() });

const RULES = {
  totalMs: 60_000,
  idleMs: 20_000,
  maxBytes: 1024 ** 3,
  refreshMs: 3_600_000,
};
