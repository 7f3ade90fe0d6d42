import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type LayerBytes, LayerProgress } from '../../../../../src/runtime/docker/image/layer-progress.ts';
import { refuseManyLayers } from '../../../../../src/runtime/docker/image/pull.ts';

describe('the progress of a pull', () => {
  const layer = (id: string, status: string, current?: number, total?: number): string =>
    JSON.stringify({ id, status, progressDetail: { current, total } });

  test('adds up its layers, also after their download', () => {
    const progress = new LayerProgress();
    const lines = [
      layer('a', 'Pulling fs layer'),
      layer('a', 'Downloading', 10, 100),
      layer('b', 'Downloading', 5, 50),
      layer('a', 'Download complete'),
      layer('a', 'Extracting', 7, 100),
    ];
    expect(lines.map((line) => progress.take(line))).toEqual([true, true, true, true, true]);
    expect(progress.bytes).toEqual({ doneBytes: 105, totalBytes: 150, unknownLayers: 0 });
    expect(progress.error).toBeUndefined();
  });

  test('knows of how many layers the size is still to come', () => {
    const progress = new LayerProgress();
    const unknown = (line: string): number => {
      progress.take(line);
      return progress.bytes.unknownLayers;
    };
    expect(unknown(layer('latest', 'Pulling from a/b'))).toBe(0);
    expect(unknown(layer('a', 'Pulling fs layer'))).toBe(1);
    expect(unknown(layer('b', 'Pulling fs layer'))).toBe(2);
    expect(unknown(layer('b', 'Waiting'))).toBe(2);
    expect(unknown(layer('a', 'Downloading', 1, 10))).toBe(1);
    expect(unknown(layer('c', 'Already exists'))).toBe(1);
    expect(unknown(layer('b', 'Download complete'))).toBe(0);
  });

  test('equals the sum of its lines after every line', () => {
    const bytes = fc.nat({ max: 1e12 });
    const lines = fc.array(
      fc.record(
        {
          id: fc.constantFrom('a', 'b', 'c'),
          status: fc.constantFrom(
            'Pulling fs layer',
            'Waiting',
            'Downloading',
            'Retrying in 1 second',
            'Download complete',
            'Extracting',
            'Already exists',
          ),
          progressDetail: fc.record({ current: bytes, total: bytes }, { requiredKeys: [] }),
        },
        { requiredKeys: ['status'] },
      ),
      { maxLength: 30 },
    );
    fc.assert(
      fc.property(lines, (taken) => {
        const progress = new LayerProgress();
        for (const [index, line] of taken.entries()) {
          progress.take(JSON.stringify(line));
          expect(progress.bytes).toEqual(sumOf(taken.slice(0, index + 1)));
        }
      }),
    );
  });

  test('does not count repetitions, waiting and retries', () => {
    const progress = new LayerProgress();
    progress.take(layer('a', 'Downloading', 10, 100));
    const idle = [
      layer('a', 'Downloading', 10, 100),
      layer('a', 'Waiting'),
      layer('a', 'Retrying in 5 seconds'),
      layer('a', 'Retrying in 4 seconds'),
      'no json',
      '[]',
      '{}',
    ];
    expect(idle.map((line) => progress.take(line))).toEqual(idle.map(() => false));
    expect(progress.take(layer('a', 'Downloading', 11, 100))).toBe(true);
  });

  test('counts each layer once', () => {
    const progress = new LayerProgress();
    for (const id of ['a', 'b', 'a', 'c', 'b']) progress.take(layer(id, 'Downloading', 1, 2));
    expect(progress.layers).toBe(3);
  });

  test('keeps the error that ends the pull', () => {
    const progress = new LayerProgress();
    progress.take(JSON.stringify({ error: 'short', errorDetail: { message: 'in full' } }));
    expect(progress.error).toBe('in full');
  });
});

type Line = {
  readonly id?: string;
  readonly status: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
};

/** The sum over all lines of a pull, computed from scratch: the last line of each layer counts. */
function sumOf(lines: readonly Line[]): LayerBytes {
  const relevant = lines.filter(
    ({ id, status }) => id !== undefined && !/^(?:Retrying|Waiting)/.test(status),
  );
  let doneBytes = 0;
  let totalBytes = 0;
  for (const layer of Map.groupBy(relevant, ({ id }) => id).values()) {
    const downloads = layer.filter(({ status }) => status === 'Downloading');
    const size =
      downloads.findLast((line) => line.progressDetail?.total !== undefined)?.progressDetail?.total ?? 0;
    const last = layer.at(-1);
    const current = last?.status === 'Downloading' ? (last.progressDetail?.current ?? 0) : undefined;
    doneBytes += current ?? size;
    totalBytes += Math.max(size, current ?? 0);
  }
  const unknownLayers = [...Map.groupBy(relevant, ({ id }) => id).values()].filter(
    (layer) => layer.at(-1)?.status === 'Pulling fs layer',
  ).length;
  return { doneBytes, totalBytes, unknownLayers };
}

describe('the number of layers', () => {
  test.each([0, 1, 127, 500])('is accepted at %d', (layers) => {
    expect(() => refuseManyLayers('some/image', layers)).not.toThrow();
  });

  test.each([501, 10_000])('is refused at %d', (layers) => {
    expect(() => refuseManyLayers('some/image', layers)).toThrow(
      expect.objectContaining({ code: 'IMAGE_REFUSED' }),
    );
  });
});
