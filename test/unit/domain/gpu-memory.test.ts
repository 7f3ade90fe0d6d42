import { describe, expect, test } from 'vitest';
import { describeLeftovers, leftoverMiB } from '../../../src/domain/gpu-memory.ts';
import { aGpu } from '../../support/domain.ts';

describe('what is left of a GPU’s memory', () => {
  test.each<[string, Parameters<typeof aGpu>[0], number | undefined, number | undefined]>([
    ['as before', { memoryTotalMiB: 8_000, memoryUsedMiB: 300 }, 300, 0],
    ['less than before', { memoryTotalMiB: 8_000, memoryUsedMiB: 4 }, 300, 0],
    ['512 MiB more', { memoryTotalMiB: 8_000, memoryUsedMiB: 812 }, 300, 0],
    ['513 MiB more', { memoryTotalMiB: 8_000, memoryUsedMiB: 813 }, 300, 513],
    ['3 % more of much', { memoryTotalMiB: 80_000, memoryUsedMiB: 2_700 }, 300, 0],
    ['over 3 % more of much', { memoryTotalMiB: 80_000, memoryUsedMiB: 2_701 }, 300, 2_401],
    ['no size is known', { memoryTotalMiB: undefined, memoryUsedMiB: 1_000 }, 300, 700],
    ['no use is known', { memoryTotalMiB: 8_000, memoryUsedMiB: undefined }, 300, undefined],
    ['nothing was seen before', { memoryTotalMiB: 8_000, memoryUsedMiB: 4_000 }, undefined, undefined],
    ['it is cut into slices', { memoryTotalMiB: 8_000, memoryUsedMiB: 4_000, migMode: true }, 0, undefined],
  ])('%s', (_, gpu, baseline, more) => {
    expect(leftoverMiB(aGpu(gpu), baseline)).toBe(more);
  });

  test.each([
    [[], /^900 MiB .*, no process is known to hold them$/],
    [[{ pid: 7, gpu: 'g', usedMiB: 800 }], /held by process 7 \(800 MiB\)$/],
    [
      [
        { pid: 7, gpu: 'g', usedMiB: 800 },
        { pid: 8, gpu: 'g', usedMiB: undefined },
      ],
      /held by the processes 7 \(800 MiB\), 8$/,
    ],
  ])('in words: %j', (processes, words) => {
    expect(describeLeftovers(900, processes)).toMatch(words);
  });
});
