import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { PullProgress } from '../../../src/domain/ports/runtime.ts';
import { BUSYBOX, describeDocker, REGISTRY, type TestEngine } from '../../support/engine/docker.ts';
import { HostileRegistry } from '../../support/engine/hostile-registry.ts';
import { rejection } from '../../support/engine/rejection.ts';
import { testRuntime } from '../../support/engine/runtime.ts';

const MIB = 1024 * 1024;
const soon = (): AbortSignal => AbortSignal.timeout(60_000);
const rules = {
  allowed: ['localhost:*'],
  totalMs: 60_000,
  idleMs: 20_000,
  maxBytes: 1024 * MIB,
  refreshMs: 3_600_000,
};

describeDocker('images', (engine) => {
  test('are pulled, found and named by their digest', async () => {
    const reports: PullProgress[] = [];
    await using registry = await HostileRegistry.start('honest');
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    await using _ = removed(engine, ref);
    const { runtime } = testRuntime(engine.host, {
      hooks: { onProgress: (report) => reports.push(report), checkDisk: async () => undefined },
    });
    expect(await runtime.images.find(ref)).toBeUndefined();
    const ready = await runtime.images.prepare(ref, soon());
    expect(ready.ref).toBe(ref);
    expect(ready.id).toMatch(/^localhost:\d+\/sharedcloud-test\/[0-9a-f-]+@sha256:[0-9a-f]{64}$/);
    // containerd's image store counts the image's description too.
    expect(ready.sizeBytes).toBeGreaterThanOrEqual(2 * MIB);
    expect(ready).toMatchObject({ ...(await runtime.images.find(ref)) });
    expect(reports.filter(({ finished }) => finished)).toHaveLength(1);
    expect(reports.at(-1)?.doneBytes).toBe(reports.at(-1)?.totalBytes);
  });

  test('are pulled once for many who ask, and not again soon', async () => {
    await using registry = await HostileRegistry.start('honest');
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}`;
    await using _ = removed(engine, ref);
    const { runtime } = testRuntime(engine.host);
    const all = await Promise.all(
      [ref, `${ref}:latest`, ref].map((name) => runtime.images.prepare(name, soon())),
    );
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    await runtime.images.prepare(ref, soon());
    expect(registry.layerRequests).toBe(1);
  });

  test('that are here are used when their registry is gone', async () => {
    const registry = await HostileRegistry.start('honest');
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    await using _ = removed(engine, ref);
    const first = await testRuntime(engine.host).runtime.images.prepare(ref, soon());
    await registry[Symbol.asyncDispose]();
    const again = await testRuntime(engine.host).runtime.images.prepare(ref, soon());
    expect(first).toMatchObject(again);
  });

  test.each([
    ['not in the registry', `${REGISTRY}/sharedcloud/nothing:latest`, 'IMAGE_NOT_FOUND'],
    ['of an unknown tag', `${REGISTRY}/sharedcloud/busybox:none`, 'IMAGE_NOT_FOUND'],
    ['of a registry that is not there', 'localhost:1/sharedcloud/busybox', 'REGISTRY_UNREACHABLE'],
    ['not on the list', 'docker.io/evil/image:latest', 'IMAGE_REFUSED'],
    ['no name at all', 'localhost:5000/x/../../containers/json?all=1', 'IMAGE_REFUSED'],
  ])('that are %s', async (_, ref, code) => {
    const { runtime } = testRuntime(engine.host, { images: rules });
    await expect(runtime.images.prepare(ref, soon())).rejects.toMatchObject({ code });
    expect(await runtime.images.find(ref)).toBeUndefined();
  });

  test.each([
    // containerd's image store does not ask for the rest.
    ['truncated', { idleMs: 1500 }, /PULL_FAILED|UNREACHABLE/, /\b1\.5 s|unexpected EOF/],
    ['silent', { idleMs: 1000 }, 'IMAGE_PULL_FAILED', /\b1 s/],
    ['drip', { totalMs: 2000 }, 'IMAGE_PULL_FAILED', /\b2 s/],
    ['wrong-bytes', {}, 'IMAGE_CORRUPT', /verification failed for digest|unexpected commit digest/],
    ['honest', { maxBytes: 1000 }, 'IMAGE_REFUSED', /\b1000 bytes/],
    ['huge', {}, 'IMAGE_REFUSED', /bytes/],
  ] as const)('from a registry that is %s', async (behaviour, limits, code, words) => {
    await using registry = await HostileRegistry.start(behaviour);
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    const { runtime } = testRuntime(engine.host, { images: { ...rules, ...limits } });
    const error = await rejection(runtime.images.prepare(ref, soon()));
    expect(error.code).toMatch(code);
    expect(error.message).toMatch(words);
    expect(await runtime.images.find(ref)).toBeUndefined();
  });

  test('of thousands of layers are left after some hundreds, and others can be pulled', async () => {
    const reports: PullProgress[] = [];
    await using hostile = await HostileRegistry.start('many-layers');
    await using honest = await HostileRegistry.start('honest');
    const refused = `${hostile.host}/sharedcloud-test/${randomUUID()}:latest`;
    const ref = `${honest.host}/sharedcloud-test/${randomUUID()}:latest`;
    await using _ = removed(engine, ref);
    const { runtime } = testRuntime(engine.host, {
      images: { ...rules, totalMs: 10_000 },
      hooks: { onProgress: (report) => reports.push(report), checkDisk: async () => undefined },
    });
    const error = await rejection(runtime.images.prepare(refused, soon()));
    expect(error.code).toBe('IMAGE_REFUSED');
    expect(await runtime.images.find(refused)).toBeUndefined();
    // One of each layer, and a few more.
    expect(reports.length).toBeLessThan(600);
    expect((await runtime.images.prepare(ref, soon())).ref).toBe(ref);
  });

  test('are not waited for by who has given up, and go on for who has not', async () => {
    await using registry = await HostileRegistry.start('drip');
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    const { runtime } = testRuntime(engine.host, { images: { ...rules, totalMs: 3000 } });
    const impatient = new AbortController();
    const left = runtime.images.prepare(ref, impatient.signal);
    const stayed = runtime.images.prepare(ref, soon());
    impatient.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    await expect(stayed).rejects.toMatchObject({ code: 'IMAGE_PULL_FAILED' });
  });

  test('are not begun when the disk is full', async () => {
    await using registry = await HostileRegistry.start('honest');
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    const full = new Error('full');
    const checkDisk = (): Promise<void> => Promise.reject(full);
    const { runtime } = testRuntime(engine.host, { hooks: { onProgress: () => undefined, checkDisk } });
    await expect(runtime.images.prepare(ref, soon())).rejects.toThrow('full');
    expect(registry.layerRequests).toBe(0);
  });

  test('over the owner’s size only once they are unpacked are refused, and do not stay', async () => {
    await using registry = await HostileRegistry.start('packed');
    const ref = `${registry.host}/sharedcloud-test/${randomUUID()}:latest`;
    const { runtime } = testRuntime(engine.host, { images: { ...rules, maxBytes: MIB } });
    expect((await rejection(runtime.images.prepare(ref, soon()))).code).toBe('IMAGE_REFUSED');
    await expect(engine.docker.getImage(ref).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  test('not on the list are not found even though they are here', async () => {
    const { runtime } = testRuntime(engine.host, { images: { ...rules, allowed: ['other/*'] } });
    expect(await runtime.images.find(BUSYBOX)).toBeUndefined();
  });

  test('over the owner’s size are not found even though they are here', async () => {
    const { runtime } = testRuntime(engine.host, { images: { ...rules, maxBytes: 1000 } });
    expect(await runtime.images.find(BUSYBOX)).toBeUndefined();
  });
});

/** Takes an image away again at the end of a scope. */
function removed(engine: TestEngine, ref: string): AsyncDisposable {
  return {
    [Symbol.asyncDispose]: async () => {
      await engine.docker.getImage(ref).remove({ force: true });
    },
  };
}
