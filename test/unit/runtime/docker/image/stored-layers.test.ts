import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HistoryStep, storedLayers } from '../../../../../src/runtime/docker/image/stored-layers.ts';

const diffId = (at: number): string => `sha256:${String(at).padStart(64, '0')}`;
const diffIds = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => diffId(at));
const step = (bytes: number, createdBy = 'RUN make'): HistoryStep => ({ bytes, createdBy });

/** Instructions of which it is known whether they add a layer, and one of which it is not. */
const SETTINGS = ['ENV A=1', '/bin/sh -c #(nop)  CMD ["sh"]', 'LABEL a=b'];
const LAYERS = ['RUN make', 'COPY a b', '/bin/sh -c true', '/bin/sh -c #(nop) ADD file:1 in /', ''];

describe('the layers of an image on the disk', () => {
  test.each<[string, number, readonly HistoryStep[], number, readonly number[]]>([
    ['each with the bytes of its step', 2, [step(100), step(50)], 150, [100, 50]],
    ['beside settings', 2, [step(100), step(0, 'ENV A=1'), step(50), step(0, 'CMD ["a"]')], 150, [100, 50]],
    ['beside a step that changed nothing', 2, [step(100), step(0), step(50)], 150, [100, 50]],
    [
      'with an empty one',
      3,
      [step(100), step(0, 'RUN true'), step(0, 'ENV A=1'), step(50)],
      150,
      [100, 0, 50],
    ],
    [
      'with an empty one after a setting',
      3,
      [step(100), step(0, 'ENV A=1'), step(50), step(0)],
      150,
      [100, 50, 0],
    ],
    [
      'with a new directory',
      3,
      [step(100), step(0, 'USER a'), step(50), step(0, 'WORKDIR /a')],
      150,
      [100, 50, 0],
    ],
    ['without a history', 2, [], 150, [75, 75]],
    ['with a history that ends early', 3, [step(100)], 150, [100, 25, 25]],
    ['with a history of other layers', 1, [step(100), step(50)], 150, [150]],
    ['with what the store keeps beside them', 2, [step(100), step(50)], 300, [200, 100]],
    ['of an image whose size is that of its compressed layers', 2, [step(100), step(50)], 60, [100, 50]],
    ['of an empty image', 1, [step(0)], 0, [0]],
    ['of an image of none', 0, [step(0, 'ENV A=1')], 0, []],
  ])('%s', (_, layers, history, imageBytes, bytes) => {
    expect(storedLayers(diffIds(layers), history, imageBytes).map((layer) => layer.bytes)).toEqual(bytes);
  });

  test('are named by their chain, as the engine stores them', () => {
    const digests = storedLayers(diffIds(3), [], 3).map(({ digest }) => digest);
    expect(digests[0]).toBe(diffId(0));
    const prefix = storedLayers(diffIds(2), [], 2).map(({ digest }) => digest);
    expect(prefix).toEqual(digests.slice(0, 2));
    const other = storedLayers([diffId(7), diffId(1), diffId(2)], [], 3).map(({ digest }) => digest);
    expect(new Set([...digests, ...other]).size).toBe(6);
    // By the formula of the OCI image format for the chain of two layers.
    expect(digests[1]).toBe('sha256:cc499ad2349cbec7bc911a381418fb111682b861b434a7a72e14bed13d42e848');
  });

  test('have the bytes of their steps wherever the instructions tell them from settings', () => {
    const layer = fc.record({ bytes: fc.nat(1_000_000), createdBy: fc.constantFrom(...LAYERS) });
    const setting = fc.record({ bytes: fc.constant(0), createdBy: fc.constantFrom(...SETTINGS) });
    const steps = fc.array(
      fc.oneof(
        layer.map((one) => ({ one, isLayer: true })),
        setting.map((one) => ({ one, isLayer: false })),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, (all) => {
        const bytes = all.filter(({ isLayer }) => isLayer).map(({ one }) => one.bytes);
        const sum = bytes.reduce((total, one) => total + one, 0);
        const layers = storedLayers(
          diffIds(bytes.length),
          all.map(({ one }) => one),
          sum,
        );
        expect(layers.map((one) => one.bytes)).toEqual(bytes);
      }),
    );
  });

  test('have together the bytes of the image, whatever the history', () => {
    const history = fc.array(
      fc.record({ bytes: fc.nat(1_000_000), createdBy: fc.constantFrom(...LAYERS, ...SETTINGS) }),
    );
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 40 }), fc.nat(1_000_000), (steps, layers, more) => {
        const known = steps.reduce((sum, { bytes }) => sum + bytes, 0);
        const stored = storedLayers(diffIds(layers), steps, known + more);
        const sum = stored.reduce((total, { bytes }) => total + bytes, 0);
        expect(Math.abs(sum - known - more)).toBeLessThanOrEqual(layers);
      }),
    );
  });
});
