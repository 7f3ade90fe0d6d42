import { describe, expect, test } from 'vitest';
import type { StoredImage } from '../../../../../src/domain/ports/runtime.ts';
import { LIMITS } from '../../../../../src/limits.ts';
import { openEngine } from '../../../../../src/runtime/docker/engine/connection.ts';
import { DockerImageStore } from '../../../../../src/runtime/docker/image/store.ts';
import { rejection } from '../../../../support/engine/rejection.ts';
import { type EngineAnswer, scriptedEngine } from '../../../../support/engine/scripted-engine.ts';

const soon = (): AbortSignal => AbortSignal.timeout(20_000);
const id = (at: number): string => `sha256:${String(at).repeat(64)}`;
const listed = (at: number, changes: object = {}) => ({
  Id: id(at),
  ParentId: '',
  RepoTags: [`image-${at}:latest`],
  RepoDigests: null,
  Size: 100,
  ...changes,
});
const stored = (at: number, names: readonly string[]): StoredImage => ({
  id: id(at),
  names,
  layers: [],
  hasContainer: false,
});
const layers = (...digests: readonly string[]) => ({ json: { RootFS: { Type: 'layers', Layers: digests } } });

/** A store of an engine that has these images and no containers, and answers otherwise as `script` has it. */
async function storeOf(
  images: readonly object[],
  script: (path: string) => EngineAnswer = () => ({ status: 404, message: 'no such image' }),
) {
  const asked: string[] = [];
  const engine = await scriptedEngine((path) => {
    asked.push(path);
    if (path === '/images/json') return { json: images };
    return path === '/containers/json' ? { json: [] } : script(path);
  });
  const store = new DockerImageStore(openEngine({ host: engine.host, tls: undefined }), 5_000);
  return { asked, store, [Symbol.asyncDispose]: () => engine[Symbol.asyncDispose]() };
}

describe('the images in a list of Docker', () => {
  test('have canonical names, each once, and names in unknown words', async () => {
    const names = {
      RepoTags: ['docker.io/library/a:1', 'a:1', '<none>:<none>', 'A/B:c'],
      RepoDigests: ['<none>@<none>'],
    };
    await using at = await storeOf([listed(1, names), listed(2, { RepoTags: null })]);
    expect((await at.store.list(soon())).map((image) => image.names)).toEqual([['a:1', 'A/B:c'], []]);
  });

  test('are described once, unless a description fails', async () => {
    await using at = await storeOf([listed(1), listed(2)], (path) => {
      if (path.startsWith(`/images/${id(2)}`)) return { status: 500, message: 'content is missing' };
      return path.endsWith('/history') ? { json: [{ Size: 60 }, { Size: 40 }] } : layers(id(7), id(8));
    });
    for (const _ of [1, 2]) {
      const [first, second] = await at.store.list(soon());
      expect(first?.layers.map(({ bytes }) => bytes)).toEqual([40, 60]);
      expect(second?.layers).toEqual([{ digest: id(2), bytes: 100 }]);
    }
    expect(at.asked.filter((path) => path === `/images/${id(1)}/json`)).toHaveLength(1);
    expect(at.asked.filter((path) => path === `/images/${id(2)}/json`)).toHaveLength(2);
  });

  test.each<[string, EngineAnswer]>([
    ['fails', { status: 500, message: 'no history' }],
    ['is malformed', { json: { Size: 'many' } }],
    ['is too large', { json: [{ Size: 100, CreatedBy: 'x'.repeat(LIMITS.image.description.max) }] }],
  ])('have their bytes spread over their layers where the history %s', async (_, history) => {
    await using at = await storeOf([listed(1)], (path) =>
      path.endsWith('/history') ? history : layers(id(7), id(8)),
    );
    const [image] = await at.store.list(soon());
    expect(image?.layers.map(({ bytes }) => bytes)).toEqual([50, 50]);
  });

  test('are those of a long list, up to its limit', async () => {
    const labels = (bytes: number) => listed(1, { Labels: { long: 'x'.repeat(bytes) } });
    await using long = await storeOf([labels(LIMITS.engine.answer.max)]);
    expect(await long.store.list(soon())).toHaveLength(1);
    await using longer = await storeOf([labels(LIMITS.engine.images.max)]);
    expect((await rejection(longer.store.list(soon()))).code).toBe('RUNTIME_FAILED');
  });

  test('are not known from a malformed list', async () => {
    await using at = await storeOf([{ Id: 1 }]);
    expect((await rejection(at.store.list(soon()))).code).toBe('RUNTIME_FAILED');
  });

  test('are not known of an engine that has gone', async () => {
    const at = await storeOf([listed(1)]);
    await at[Symbol.asyncDispose]();
    expect((await rejection(at.store.list(soon()))).code).toBe('RUNTIME_UNAVAILABLE');
  });

  test('are not waited for by the caller once it has given up', async () => {
    await using at = await storeOf([listed(1)]);
    await expect(at.store.list(AbortSignal.abort(new Error('left')))).rejects.toThrow('left');
  });
});

describe('the removal of an image from Docker', () => {
  const digest = `@${id(9)}`;

  test.each<[string, readonly string[], readonly string[]]>([
    ['a tag and its digest', ['a:1', `a${digest}`], []],
    ['a digest', [`a${digest}`], []],
    ['no name', [], []],
    ['two tags', ['a:1', 'a:2', `a${digest}`], ['a:2']],
    ['tags of two repositories', ['a:1', `a${digest}`, 'b:1', `b${digest}`], ['b:1', `b${digest}`]],
    ['digests of two repositories', [`a${digest}`, `b${digest}`], [`b${digest}`]],
  ])('of %s ends with its id', async (_, names, before) => {
    const own = {
      RepoTags: names.filter((name) => !name.includes('@')),
      RepoDigests: names.filter((name) => name.includes('@')),
    };
    await using at = await storeOf([listed(1, own)], () => ({ json: [] }));
    expect(await at.store.remove(stored(1, names), soon())).toBe('removed');
    const removals = at.asked
      .filter((path) => !path.endsWith('/json'))
      .map((path) => path.replace('/images/', ''));
    expect(removals).toEqual([...before, id(1)]);
  });

  test('ends at the first name that a container holds', async () => {
    const names = ['a:1', 'a:2', 'a:3'];
    await using at = await storeOf([listed(1, { RepoTags: names })], () => ({
      status: 409,
      message: 'conflict',
    }));
    expect(await at.store.remove(stored(1, names), soon())).toBe('in-use');
    expect(at.asked.filter((path) => !path.endsWith('/json'))).toEqual(['/images/a:2']);
  });

  test.each([
    ['has got another name', [listed(1, { RepoTags: ['a:1', 'b:1'] })], 'in-use'],
    ['is the base of another', [listed(1, { RepoTags: ['a:1'] }), listed(2, { ParentId: id(1) })], 'in-use'],
    ['is not there', [listed(2)], 'absent'],
  ] as const)('of one that %s asks for none', async (_, images, outcome) => {
    await using at = await storeOf(images, () => ({ json: [] }));
    expect(await at.store.remove(stored(1, ['a:1']), soon())).toBe(outcome);
    expect(at.asked.filter((path) => !path.endsWith('/json'))).toEqual([]);
  });

  test('fails where the engine fails', async () => {
    await using at = await storeOf([listed(1)], () => ({ status: 500, message: 'device or resource busy' }));
    const error = await rejection(at.store.remove(stored(1, ['image-1:latest']), soon()));
    expect(error.code).toBe('RUNTIME_FAILED');
  });
});
