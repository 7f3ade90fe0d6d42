import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HeldImage, planEviction, protectionOf } from '../../../src/domain/image-eviction.ts';

const NOW = 1_000_000_000;
const IMAGE: HeldImage = {
  id: 'a',
  layers: [{ digest: 'a', bytes: 10 }],
  valuePerDay: 10,
  pulledAt: 0,
  isPinned: false,
  hasContainer: false,
  isNeeded: false,
  isTestImage: false,
};

const image = (id: string, change: Partial<HeldImage> = {}): HeldImage => ({
  ...IMAGE,
  id,
  layers: [{ digest: id, bytes: 10 }],
  ...change,
});

/** Full, with 85 and 80 of 100 bytes as marks. */
const disk = (usedBytes: number) => ({ usedBytes, totalBytes: 100, high: 0.85, low: 0.8 });

const idsOf = (images: readonly HeldImage[], usedBytes: number): string[] =>
  planEviction(images, disk(usedBytes), NOW).evicted.map((one) => one.image.id);

describe('an image is protected', () => {
  test.each<[string, Partial<HeldImage>, ReturnType<typeof protectionOf>]>([
    ['where the agent did not pull it', { pulledAt: undefined }, 'owners-image'],
    ['where the agent tests the host with it', { isTestImage: true, pulledAt: undefined }, 'test-image'],
    ['where it is pinned', { isPinned: true }, 'pinned'],
    ['where a container has it', { hasContainer: true }, 'in-use'],
    ['where a job needs it', { isNeeded: true }, 'needed'],
    ['before it is ten minutes old', { pulledAt: NOW - 599_999 }, 'too-young'],
    ['where the clock was set back', { pulledAt: NOW + 1 }, 'too-young'],
    ['no longer after ten minutes', { pulledAt: NOW - 600_000 }, undefined],
  ])('%s', (_, change, reason) => {
    expect(protectionOf(image('a', change), NOW)).toBe(reason);
  });
});

describe('an eviction', () => {
  test('takes nothing up to the high mark', () => {
    expect(idsOf([image('a')], 85)).toEqual([]);
  });

  test('takes the lowest value per byte and stops at the low mark', () => {
    const images = [
      image('dear', { valuePerDay: 50 }),
      image('cheap', { valuePerDay: 1 }),
      image('next', { valuePerDay: 2 }),
    ];
    expect(idsOf(images, 86)).toEqual(['cheap']);
    expect(idsOf(images, 95)).toEqual(['cheap', 'next']);
  });

  test('counts a layer of an image that stays as not freed', () => {
    const shared = { digest: 'base', bytes: 100 };
    const base = image('base', { layers: [shared], isPinned: true });
    const onBase = image('on-base', { layers: [shared, { digest: 'top', bytes: 1 }], valuePerDay: 5 });
    const { evicted } = planEviction([base, onBase, image('own')], disk(86), NOW);
    expect(evicted.map((one) => [one.image.id, one.freedBytes])).toEqual([['own', 10]]);
  });

  test('takes images together that have the same layers', () => {
    const layers = [{ digest: 'both', bytes: 20 }];
    const { evicted } = planEviction([image('a', { layers }), image('b', { layers })], disk(90), NOW);
    expect(evicted.map((one) => one.freedBytes)).toEqual([0, 20]);
  });

  test('leaves images whose removal frees nothing', () => {
    const layers = [{ digest: 'both', bytes: 20 }];
    expect(idsOf([image('a', { layers }), image('b', { layers, isPinned: true })], 99)).toEqual([]);
  });
});

const layer = fc.nat(7).map((at) => ({ digest: `layer${at}`, bytes: 1 + at }));
const anyImages = fc
  .array(
    fc.record({
      layers: fc.array(layer, { maxLength: 4 }),
      valuePerDay: fc.nat(20),
      pulledAt: fc.constantFrom(undefined, 0, NOW - 1),
      isPinned: fc.boolean(),
      hasContainer: fc.boolean(),
      isNeeded: fc.boolean(),
      isTestImage: fc.boolean(),
    }),
    { maxLength: 12 },
  )
  .map((all) => all.map((one, at): HeldImage => ({ ...one, id: `image${at}` })));
const freeable = anyImages.map((all) =>
  all.map((one) =>
    one.isPinned ? one : { ...one, pulledAt: 0, hasContainer: false, isNeeded: false, isTestImage: false },
  ),
);

describe('every eviction', () => {
  test('leaves what is protected and names every image once', () => {
    fc.assert(
      fc.property(anyImages, fc.nat(100), (images, used) => {
        const { evicted, kept } = planEviction(images, disk(used), NOW);
        for (const one of evicted) expect(protectionOf(one.image, NOW)).toBeUndefined();
        const named = [...evicted, ...kept].map((one) => one.image.id);
        expect(named.toSorted()).toEqual(images.map(({ id }) => id).toSorted());
      }),
    );
  });

  test('takes no image that it could leave, and reaches the low mark where that can be', () => {
    fc.assert(
      fc.property(freeable, fc.integer({ min: 86, max: 100 }), (images, used) => {
        const { evicted } = planEviction(images, disk(used), NOW);
        const stays = (without: ReadonlySet<HeldImage>) => bytesOf(images.filter((one) => !without.has(one)));
        const going = new Set(evicted.map((one) => one.image));
        const freed = bytesOf(images) - stays(going);
        expect(evicted.reduce((sum, one) => sum + one.freedBytes, 0)).toBe(freed);
        const all = new Set(images.filter((one) => protectionOf(one, NOW) === undefined));
        const goal = Math.min(used - 80, bytesOf(images) - stays(all));
        expect(freed).toBeGreaterThanOrEqual(goal);
        for (const one of going) {
          const others = new Set([...going].filter((other) => other !== one));
          expect(bytesOf(images) - stays(others)).toBeLessThan(goal);
        }
      }),
    );
  });

  test('is the same in whichever order the images come', () => {
    fc.assert(
      fc.property(freeable, fc.integer({ min: 86, max: 100 }), (images, used) => {
        expect(idsOf(images.toReversed(), used)).toEqual(idsOf(images, used));
      }),
    );
  });
});

function bytesOf(images: readonly HeldImage[]): number {
  const layers = new Map(images.flatMap((one) => one.layers.map(({ bytes, digest }) => [digest, bytes])));
  return [...layers.values()].reduce((sum, bytes) => sum + bytes, 0);
}
