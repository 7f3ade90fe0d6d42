import type { HeldImage } from './image-eviction.ts';

/** How many bytes an image takes: all its layers, and those that no other image has, which its removal alone would free. */
export type ImageBytes = { readonly bytes: number; readonly ownBytes: number };

/** How many images somebody brought, and the bytes of their layers. */
type Brought = { readonly images: number; readonly bytes: number };

/** What the agent pulled, and all other images. */
export type OwnersBytes = { readonly agent: Brought; readonly other: Brought };

/** The images by who brought them. A layer counts once: where both have it, for the others, since it stays. Pure. */
export function bytesByOwner(images: readonly Pick<HeldImage, 'layers' | 'pulledAt'>[]): OwnersBytes {
  const layers = { agent: new Map<string, number>(), other: new Map<string, number>() };
  const counts = { agent: 0, other: 0 };
  for (const image of images) {
    const owner = image.pulledAt === undefined ? 'other' : 'agent';
    counts[owner] += 1;
    for (const { bytes, digest } of image.layers) layers[owner].set(digest, bytes);
  }
  for (const digest of layers.other.keys()) layers.agent.delete(digest);
  return {
    agent: { images: counts.agent, bytes: sumOf(layers.agent) },
    other: { images: counts.other, bytes: sumOf(layers.other) },
  };
}

function sumOf(layers: ReadonlyMap<string, number>): number {
  return [...layers.values()].reduce((sum, bytes) => sum + bytes, 0);
}

/** The bytes of each image, by its id. Pure. */
export function bytesOfImages(
  images: readonly Pick<HeldImage, 'id' | 'layers'>[],
): ReadonlyMap<string, ImageBytes> {
  // An image may name a layer twice.
  const layered = images.map(({ id, layers }) => ({
    id,
    layers: new Map(layers.map(({ bytes, digest }) => [digest, bytes])),
  }));
  const holders = new Map<string, number>();
  for (const { layers } of layered)
    for (const digest of layers.keys()) holders.set(digest, (holders.get(digest) ?? 0) + 1);
  return new Map(
    layered.map(({ id, layers }) => {
      let [bytes, ownBytes] = [0, 0];
      for (const [digest, size] of layers) {
        bytes += size;
        if (holders.get(digest) === 1) ownBytes += size;
      }
      return [id, { bytes, ownBytes }] as const;
    }),
  );
}
