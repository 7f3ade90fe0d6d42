import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bytesOfImages } from '../../../src/domain/image-bytes.ts';

const layer = (digest: string, bytes: number) => ({ digest, bytes });

test('a layer that another image has is not an image’s own, and one that is named twice counts once', () => {
  const images = [
    { id: 'a', layers: [layer('base', 100), layer('x', 7), layer('x', 7)] },
    { id: 'b', layers: [layer('base', 100), layer('y', 5)] },
    { id: 'c', layers: [] },
  ];
  expect([...bytesOfImages(images)]).toEqual([
    ['a', { bytes: 107, ownBytes: 7 }],
    ['b', { bytes: 105, ownBytes: 5 }],
    ['c', { bytes: 0, ownBytes: 0 }],
  ]);
});

test('what is an image’s own is what the disk gets back with it alone', () => {
  const sizes = [3, 10, 200, 5_000];
  const layers = fc.uniqueArray(fc.nat(sizes.length - 1)).map((picked) => picked.map(numbered));
  fc.assert(
    fc.property(fc.array(layers, { minLength: 1, maxLength: 5 }), (all) => {
      const images = all.map((own, index) => ({ id: `image ${index}`, layers: own }));
      const known = bytesOfImages(images);
      for (const { id } of images) {
        const others = images.filter((image) => image.id !== id);
        expect(known.get(id)?.ownBytes).toBe(diskBytes(images) - diskBytes(others));
      }
    }),
  );
  function numbered(index: number) {
    return layer(`layer ${index}`, sizes[index] ?? 0);
  }
});

function diskBytes(images: readonly { readonly layers: readonly ReturnType<typeof layer>[] }[]): number {
  const kept = new Map(images.flatMap(({ layers }) => layers.map(({ bytes, digest }) => [digest, bytes])));
  return [...kept.values()].reduce((sum, bytes) => sum + bytes, 0);
}
