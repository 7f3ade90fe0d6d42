import type { HeldImage } from './image-eviction.ts';

/** How many bytes an image takes: all its layers, and those that no other image has, which its removal alone would free. */
export type ImageBytes = { readonly bytes: number; readonly ownBytes: number };

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
