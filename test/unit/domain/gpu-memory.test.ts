import { describe, expect, test } from 'vitest';
import { describeLeak, leakedMiB } from '../../../src/domain/gpu-memory.ts';
import { aGpu } from '../../support/domain.ts';

describe('leaked memory of a GPU', () => {
  test.each<[string, Parameters<typeof aGpu>[0], number | undefined, number | undefined]>([
    ['is 0 at the baseline', { memoryTotalMiB: 8_000, memoryUsedMiB: 300 }, 300, 0],
    ['is 0 below the baseline', { memoryTotalMiB: 8_000, memoryUsedMiB: 4 }, 300, 0],
    ['is 0 within 512 MiB', { memoryTotalMiB: 8_000, memoryUsedMiB: 812 }, 300, 0],
    ['is the excess above 512 MiB', { memoryTotalMiB: 8_000, memoryUsedMiB: 813 }, 300, 513],
    ['is 0 within 3 % of a large memory', { memoryTotalMiB: 80_000, memoryUsedMiB: 2_700 }, 300, 0],
    [
      'is the excess above 3 % of a large memory',
      { memoryTotalMiB: 80_000, memoryUsedMiB: 2_701 },
      300,
      2_401,
    ],
    ['needs no total size', { memoryTotalMiB: undefined, memoryUsedMiB: 1_000 }, 300, 700],
    [
      'is unknown without the memory in use',
      { memoryTotalMiB: 8_000, memoryUsedMiB: undefined },
      300,
      undefined,
    ],
    ['is unknown without a baseline', { memoryTotalMiB: 8_000, memoryUsedMiB: 4_000 }, undefined, undefined],
    ['is unknown in MIG mode', { memoryTotalMiB: 8_000, memoryUsedMiB: 4_000, migMode: true }, 0, undefined],
  ])('%s', (_, gpu, baseline, more) => {
    expect(leakedMiB(aGpu(gpu), baseline)).toBe(more);
  });

  test('is described with its size and the processes that hold it', () => {
    const processes = [
      { pid: 7, gpu: 'g', usedMiB: 800 },
      { pid: 8, gpu: 'g', usedMiB: undefined },
    ];
    expect(describeLeak(900.4, processes)).toMatch(/900 MiB.* 7 \(800 MiB\), 8$/);
    expect(describeLeak(900, [])).toContain('900 MiB');
  });
});
