import type Docker from 'dockerode';
import { z } from 'zod';
import { asAgentError } from '../../../domain/errors.ts';
import type { ImageLayer } from '../../../domain/image-eviction.ts';
import { parseImageRef } from '../../../domain/image-ref.ts';
import type { ImageStore, StoredImage } from '../../../domain/ports/runtime.ts';
import { callEngine } from '../engine/call.ts';
import { readFault } from '../engine/errors.ts';
import { type ListedImage, listImages } from './list.ts';
import { storedLayers } from './stored-layers.ts';

const INSPECTED = z.object({ RootFS: z.object({ Layers: z.array(z.string()).nullish() }) });
const HISTORY = z.array(
  z.object({ Size: z.int().nonnegative(), CreatedBy: z.string().optional().catch(undefined) }),
);

/** The engine removes an image's files one by one: millions of them take minutes on a hard disk. */
const REMOVE_MS = 10 * 60_000;

/** The images that an engine has, the owner’s own ones included. */
export class DockerImageStore implements ImageStore {
  readonly #docker: Docker;
  readonly #inspectMs: number;
  /** By id, of the images that were listed last. They never change. */
  #layers: ReadonlyMap<string, readonly ImageLayer[]> = new Map();

  /** `inspectMs`: how long the engine may take for a list or a description. */
  constructor(docker: Docker, inspectMs: number) {
    this.#docker = docker;
    this.#inspectMs = inspectMs;
  }

  async list(signal: AbortSignal): Promise<readonly StoredImage[]> {
    const images = await listImages(this.#docker, { all: false, ms: this.#inspectMs, signal });
    const used = await this.#usedImages(signal);
    const layers = new Map<string, readonly ImageLayer[]>();
    const stored: StoredImage[] = [];
    for (const image of images) {
      const known = this.#layers.get(image.id) ?? (await this.#readLayers(image, signal));
      if (known !== undefined) layers.set(image.id, known);
      const { id, names, sizeBytes } = image;
      // Without a description of it, all of it counts as its own.
      const own = [{ digest: id, bytes: sizeBytes }];
      stored.push({ id, names, layers: known ?? own, hasContainer: used.has(id) });
    }
    this.#layers = layers;
    return stored;
  }

  async remove({ id, names }: StoredImage, signal: AbortSignal): Promise<'removed' | 'in-use' | 'absent'> {
    const images = await listImages(this.#docker, { all: true, ms: this.#inspectMs, signal });
    const image = images.find((one) => one.id === id);
    if (image === undefined) return 'absent';
    const isRenamed = image.names.some((name) => !names.includes(name));
    const hasChild = images.some(({ parentId }) => parentId === id);
    if (isRenamed || hasChild || (await this.#usedImages(signal)).has(id)) return 'in-use';
    for (const name of namesBeforeId(image.names)) {
      if ((await this.#remove(name, signal)) === 'in-use') return 'in-use';
    }
    // By its id last: only then the engine looks for containers and other images before it takes the last name away.
    return this.#remove(id, signal);
  }

  /** The ids of the images that have a container, stopped ones included. */
  async #usedImages(signal: AbortSignal): Promise<ReadonlySet<string>> {
    const containers = await callEngine(
      { action: 'list containers', ms: this.#inspectMs, signal },
      (abortSignal) => this.#docker.listContainers({ all: true, abortSignal }),
    );
    return new Set(containers.map(({ ImageID }) => ImageID));
  }

  /** Undefined: the engine does not describe the image, or in too many words. */
  async #readLayers(
    { id, sizeBytes }: ListedImage,
    signal: AbortSignal,
  ): Promise<readonly ImageLayer[] | undefined> {
    const image = this.#docker.getImage(id);
    const described = await this.#describe(`inspect image ${id}`, signal, () => image.inspect());
    const inspected = INSPECTED.safeParse(described);
    if (!inspected.success) return undefined;
    const answer = await this.#describe(`read the history of image ${id}`, signal, () => image.history());
    const history = HISTORY.safeParse(answer);
    const steps = history.success ? history.data : [];
    const oldestFirst = steps.map(({ CreatedBy = '', Size }) => ({ bytes: Size, createdBy: CreatedBy }));
    return storedLayers(inspected.data.RootFS.Layers ?? [], oldestFirst.toReversed(), sizeBytes);
  }

  /** Undefined where the engine answers, but with an error. */
  async #describe(action: string, signal: AbortSignal, ask: () => Promise<unknown>): Promise<unknown> {
    try {
      return await callEngine({ action, ms: this.#inspectMs, signal }, ask);
    } catch (thrown) {
      signal.throwIfAborted();
      if (asAgentError(thrown).code === 'RUNTIME_UNAVAILABLE') throw thrown;
      return undefined;
    }
  }

  /** Removes one name, or an image with its last names. Its parents stay: they are other images. */
  #remove(name: string, signal: AbortSignal): Promise<'removed' | 'in-use' | 'absent'> {
    const call = { action: `remove image ${name}`, ms: REMOVE_MS, signal };
    return callEngine(call, async (abortSignal) => {
      try {
        await this.#docker.getImage(name).remove({ noprune: true, abortSignal });
        return 'removed';
      } catch (thrown) {
        const { status } = readFault(thrown);
        if (status === 404) return 'absent';
        if (status === 409) return 'in-use';
        throw thrown;
      }
    });
  }
}

/** The names that have to go before an image can be removed by its id: all but a tag, and the digests of its repository. */
function namesBeforeId(names: readonly string[]): readonly string[] {
  const isDigest = (name: string): boolean => name.includes('@');
  const tagsFirst = names.toSorted((a, b) => Number(isDigest(a)) - Number(isDigest(b)));
  const [kept, ...others] = tagsFirst;
  if (kept === undefined) return [];
  const repository = parseImageRef(kept)?.repository;
  return others.filter((name) => !isDigest(name) || parseImageRef(name)?.repository !== repository);
}
