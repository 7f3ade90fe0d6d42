import { randomUUID } from 'node:crypto';
import { arch } from 'node:os';
import { expect, test } from 'vitest';
import { z } from 'zod';
import type { ReadyImage, StoredImage } from '../../../src/domain/ports/runtime.ts';
import { describeDocker, imageWith, type TestEngine } from '../../support/engine/docker.ts';
import { type EngineFault, EngineProxy } from '../../support/engine/engine-proxy.ts';
import { HostileRegistry } from '../../support/engine/hostile-registry.ts';
import { type OddImage, oddImage } from '../../support/engine/odd-image.ts';
import { removeContainer } from '../../support/engine/remove-container.ts';
import { testRuntime } from '../../support/engine/runtime.ts';
import { ScriptedRegistry } from '../../support/engine/scripted-registry.ts';

const MIB = 1024 * 1024;
const soon = (): AbortSignal => AbortSignal.timeout(60_000);

/** A layer of a file of so many MiB, which is the same layer for the same name. */
const layer = (path: string, mib: number): NonNullable<OddImage['layers']>[number] => [
  { path, kind: 'file', content: Buffer.alloc(mib * MIB, path) },
];
const sizeOf = ({ layers }: StoredImage): number => layers.reduce((sum, { bytes }) => sum + bytes, 0);

describeDocker('the images that an engine has', (engine) => {
  const { runtime } = testRuntime(engine.host);
  const store = runtime.imageStore;
  const idOf = async (name: string): Promise<string> => (await engine.docker.getImage(name).inspect()).Id;
  const isHere = async (name: string): Promise<boolean> =>
    engine.docker
      .getImage(name)
      .inspect()
      .then(() => true)
      .catch((thrown: unknown) => {
        expect(thrown).toMatchObject({ statusCode: 404 });
        return false;
      });
  /** As the engine lists an image, which any of its names or its id stands for. */
  const stored = async (name: string): Promise<StoredImage> => {
    const id = await idOf(name);
    const found = (await store.list(soon())).find((one) => one.id === id);
    if (found === undefined) throw new Error(`${name} is not listed`);
    return found;
  };
  /** A container, and an end of it that removes it. */
  const container = async (image: string) => {
    const { id } = await engine.docker.createContainer({ Image: image });
    return { id, [Symbol.asyncDispose]: () => removeContainer(engine.docker, id) };
  };

  /** As for a container of an image that is gone. */
  const rejected = (thrown: unknown): undefined => {
    expect(String(thrown)).toMatch(/HTTP code (?:404|500)/);
  };

  test('have names and layers, each with its bytes', async () => {
    const name = randomUUID();
    await using image = await oddImage(engine, { layers: [layer(`a-${name}`, 3), layer(`b-${name}`, 2)] });
    const { hasContainer, layers, names } = await stored(image.ref);
    expect(names).toContain(image.ref);
    expect(hasContainer).toBe(false);
    const [base, first = 0, second = 0] = layers.map(({ bytes }) => bytes);
    expect(base).toBeGreaterThan(MIB);
    // containerd's image store keeps the layers as they were loaded, too.
    expect(first).toBeGreaterThanOrEqual(3 * MIB);
    expect(first / second).toBeCloseTo(3 / 2, 1);
  });

  test('share layers, whose bytes are counted as `docker system df` does', async () => {
    const name = randomUUID();
    const entries = layer(`base-${name}`, 1);
    const shared = layer(`shared-${name}`, 4);
    await using one = await oddImage(engine, { entries, layers: [shared, layer(`one-${name}`, 2)] });
    await using other = await oddImage(engine, { entries, layers: [shared, layer(`other-${name}`, 3)] });
    const [first, second] = [await stored(one.ref), await stored(other.ref)];
    const digests = (image: StoredImage): readonly string[] => image.layers.map(({ digest }) => digest);
    expect(digests(first).slice(0, 2)).toEqual(digests(second).slice(0, 2));
    expect(digests(first)[2]).not.toBe(digests(second)[2]);
    const sizes = await diskUse(engine);
    const hasContainerd = (await runtime.facts(soon())).storageDriver === 'overlayfs';
    for (const [image, ratio] of [
      [first, 2 / 4],
      [second, 3 / 4],
    ] as const) {
      const [base = 0, common = 0, own = 0] = image.layers.map(({ bytes }) => bytes);
      const { all = 0, shared = 0 } = sizes.get(image.id) ?? {};
      expect(Math.abs(base + common + own - all)).toBeLessThanOrEqual(3);
      expect(own / common).toBeCloseTo(ratio, 1);
      // Of containerd's image store, only unpacked layers are known to be shared.
      if (hasContainerd) expect(base + common).toBeGreaterThan(shared);
      else expect(base + common).toBe(shared);
    }
  });

  test('do not share a layer over other layers', async () => {
    const name = randomUUID();
    const top = layer(`top-${name}`, 1);
    await using one = await oddImage(engine, { layers: [layer(`one-${name}`, 1), top] });
    await using other = await oddImage(engine, { layers: [layer(`other-${name}`, 1), top] });
    const [first, second] = [await stored(one.ref), await stored(other.ref)];
    expect(first.layers[0]?.digest).toBe(second.layers[0]?.digest);
    expect(first.layers[2]?.digest).not.toBe(second.layers[2]?.digest);
  });

  test('are removed under all of their names', async () => {
    const image = await oddImage(engine, { layers: [layer(randomUUID(), 1)] });
    const id = await idOf(image.ref);
    const repos = [image.ref.replace(':latest', ''), `sharedcloud-test/${randomUUID()}`];
    for (const repo of repos) await engine.docker.getImage(id).tag({ repo, tag: 'second' });
    const found = await stored(id);
    const tags = [image.ref, ...repos.map((repo) => `${repo}:second`)];
    expect(found.names).toEqual(expect.arrayContaining(tags));
    expect(await store.remove(found, soon())).toBe('removed');
    for (const name of [id, ...tags]) expect(await isHere(name)).toBe(false);
    expect(await store.remove(found, soon())).toBe('absent');
  });

  test('stay under all of their names once somebody gives them another', async () => {
    await using image = await oddImage(engine, { layers: [layer(randomUUID(), 1)] });
    const found = await stored(image.ref);
    const repo = `sharedcloud-test/${randomUUID()}`;
    await engine.docker.getImage(found.id).tag({ repo, tag: 'mine' });
    expect(await store.remove(found, soon())).toBe('in-use');
    expect((await stored(found.id)).names).toEqual(expect.arrayContaining([image.ref, `${repo}:mine`]));
    await engine.docker.getImage(`${repo}:mine`).remove();
  });

  test('that were pulled by their digest are removed', async () => {
    await using registry = await HostileRegistry.start('honest');
    const { broughtId, ref } = await pulledByDigest(registry);
    const found = await stored(broughtId);
    expect(found.names).toEqual([ref]);
    expect(await store.remove(found, soon())).toBe('removed');
    expect(await isHere(broughtId)).toBe(false);
  });

  test('without a name are listed and removed', async () => {
    const old = await oddImage(engine, { layers: [layer(randomUUID(), 1)] });
    const id = await idOf(old.ref);
    await using next = await oddImage(engine, { layers: [layer(randomUUID(), 1)] });
    const repo = old.ref.replace(':latest', '');
    await engine.docker.getImage(next.ref).tag({ repo, tag: 'latest' });
    const found = await stored(id);
    expect(found.names).toEqual([]);
    expect(await store.remove(found, soon())).toBe('removed');
    expect(await isHere(id)).toBe(false);
    // The name itself stays with the image that has it now.
    expect(await idOf(old.ref)).toBe(await idOf(next.ref));
    await old[Symbol.asyncDispose]();
  });

  test.each(['by its name', 'by its id'])('stay while a container has them, created %s', async (how) => {
    await using image = await oddImage(engine, { layers: [layer(randomUUID(), 1)] });
    const id = await idOf(image.ref);
    const repo = image.ref.replace(':latest', '');
    await engine.docker.getImage(id).tag({ repo, tag: 'second' });
    const before = await stored(id);
    {
      await using stopped = await container(how === 'by its name' ? image.ref : id);
      expect((await stored(id)).hasContainer).toBe(true);
      expect(await store.remove(before, soon())).toBe('in-use');
      expect((await stored(id)).names).toEqual(before.names);
      await engine.docker.getContainer(stopped.id).start();
    }
    expect((await stored(id)).hasContainer).toBe(false);
    await engine.docker.getImage(`${repo}:second`).remove();
  });

  test('stay while an image was made from them', async () => {
    await using parent = await oddImage(engine, { layers: [layer(randomUUID(), 1)] });
    const before = await stored(parent.ref);
    await using child = await imageWith(engine, parent.ref, `sharedcloud-test/${randomUUID()}`, [
      'LABEL a=1',
    ]);
    expect(await store.remove(before, soon())).toBe('in-use');
    expect((await stored(parent.ref)).names).toEqual(before.names);
    await using _ = await container(child.ref);
  });

  test.each<[string, (image: string, own: AsyncDisposableStack) => Promise<unknown>]>([
    ['has got a container', async (image, own) => own.use(await container(image))],
    [
      'has got a name',
      async (image, own) => {
        const repo = `sharedcloud-test/${randomUUID()}`;
        await engine.docker.getImage(image).tag({ repo, tag: 'mine' });
        own.defer(async () => void (await engine.docker.getImage(`${repo}:mine`).remove()));
      },
    ],
  ])('stay where one %s after the agent looked', async (_, meanwhile) => {
    await using image = await oddImage(engine, { layers: [layer(randomUUID(), 1)] });
    const found = await stored(image.ref);
    await using own = new AsyncDisposableStack();
    await using proxy = await EngineProxy.start(engine.host);
    proxy.plan = async ({ name }): Promise<EngineFault> => {
      if (name === `/images/${found.id}`) await meanwhile(found.id, own);
      return 'pass';
    };
    const at = testRuntime(proxy.host).runtime.imageStore;
    expect(await at.remove(found, soon())).toBe('in-use');
    expect(proxy.count(`/images/${found.id}`)).toBe(1);
    // The containerd store drops a digest with the answer to the refused removal.
    const tags = found.names.filter((name) => !name.includes('@'));
    expect((await stored(found.id)).names).toEqual(expect.arrayContaining(tags));
  });

  test('are gone or have a working container where both are asked for at once', async () => {
    for (let round = 0; round < 5; round += 1) {
      const image = await oddImage(engine, { layers: [layer(randomUUID(), 1)] });
      const found = await stored(image.ref);
      const removed = store.remove(found, soon());
      const created = await container(found.id).catch(rejected);
      const outcome = await removed;
      if (created === undefined) expect(outcome).toBe('removed');
      else {
        await using _ = created;
        const ended = engine.docker.getContainer(created.id).wait();
        await engine.docker.getContainer(created.id).start();
        expect(await ended).toMatchObject({ StatusCode: 0 });
      }
      // The engine may have taken the name before it saw the container.
      if (await isHere(found.id)) await engine.docker.getImage(found.id).remove({ force: true });
    }
  });

  test('are known as brought by the pull that brought them, and by no other', async () => {
    await using registry = await HostileRegistry.start('honest');
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    const first = await runtime.images.prepare(ref, soon());
    const found = await stored(ref);
    expect(first.broughtId).toBe(found.id);
    expect(first.sizeBytes).toBeLessThanOrEqual(sizeOf(found) + MIB);
    // Again, by an agent that has just started.
    const again = await testRuntime(engine.host).runtime.images.prepare(ref, soon());
    expect(again).not.toHaveProperty('broughtId');
    expect(again).not.toHaveProperty('namedId');
    // Under another name that the engine does not know.
    const other = ref.replace(':latest', '-2:latest');
    const named = await runtime.images.prepare(other, soon());
    expect(named.broughtId).toBeUndefined();
    expect(named.namedId).toBe(found.id);
    const both = await stored(ref);
    expect(both.names).toEqual(expect.arrayContaining([ref, other]));
    expect(await store.remove(both, soon())).toBe('removed');
    expect((await testRuntime(engine.host).runtime.images.prepare(ref, soon())).broughtId).toBe(found.id);
    expect(await store.remove(await stored(ref), soon())).toBe('removed');
  });

  test('of several platforms have one id in the list, for the pull and for their containers', async () => {
    await using registry = await ScriptedRegistry.start();
    const [own, other] = arch() === 'arm64' ? ['arm64', 'amd64'] : ['amd64', 'arm64'];
    const platforms = [other, own].map((architecture) => ({ os: 'linux', architecture }));
    const ref = registry.index(`a/${randomUUID()}`, platforms);
    const { broughtId, id } = await runtime.images.prepare(ref, soon());
    const found = await stored(ref);
    expect(found.id).toBe(broughtId);
    {
      await using _ = await container(id);
      expect((await stored(ref)).hasContainer).toBe(true);
      expect(await store.remove(found, soon())).toBe('in-use');
    }
    expect(await store.remove(found, soon())).toBe('removed');
    expect(await isHere(id)).toBe(false);
  });

  test('are not known as brought where somebody else pulls them meanwhile', async () => {
    await using registry = await HostileRegistry.start('honest');
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    const checkDisk = async (): Promise<void> => {
      const progress = await engine.docker.pull(ref);
      await new Promise((resolve) => {
        engine.docker.modem.followProgress(progress, resolve);
      });
    };
    const slow = testRuntime(engine.host, { hooks: { onProgress: () => undefined, checkDisk } });
    expect(await slow.runtime.images.prepare(ref, soon())).not.toHaveProperty('broughtId');
    await engine.docker.getImage(ref).remove();
  });

  /** An image of the registry that the engine knows by nothing but its digest. */
  async function pulledByDigest(registry: HostileRegistry): Promise<{ broughtId: string; ref: string }> {
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    const { id }: ReadyImage = await runtime.images.prepare(ref, soon());
    await engine.docker.getImage(ref).remove();
    const { broughtId } = await runtime.images.prepare(id, soon());
    if (broughtId === undefined) throw new Error('the pull by digest brought nothing');
    return { broughtId, ref: id };
  }
});

const DISK_USE = z.object({
  Images: z.array(z.object({ Id: z.string(), Size: z.number(), SharedSize: z.number() })),
});

/** The bytes of each image by its id, and how many of them it shares, as `docker system df -v` tells them. */
async function diskUse(engine: TestEngine): Promise<ReadonlyMap<string, { all: number; shared: number }>> {
  const { Images } = DISK_USE.parse(await engine.docker.df());
  return new Map(Images.map(({ Id, SharedSize, Size }) => [Id, { all: Size, shared: SharedSize }]));
}
