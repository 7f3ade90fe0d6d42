import { describe, expect, test } from 'vitest';
import {
  describeLeak,
  isGpuOutOfMemory,
  leakedMiB,
  type MinFreeMemory,
  shortageOf,
} from '../../../src/domain/gpu-memory.ts';
import { aGpu } from '../../support/domain.ts';

const GIB = 2 ** 30;
const TENTH: MinFreeMemory = { part: 0.1 };
const HOST = { totalBytes: 128 * GIB, availableBytes: 120 * GIB };

describe('a GPU is short of memory', () => {
  const UNKNOWN = { memoryTotalMiB: undefined, memoryUsedMiB: undefined };

  test.each<[string, Parameters<typeof aGpu>[0], MinFreeMemory, boolean, boolean]>([
    ['not while it is idle', { memoryUsedMiB: 4 }, TENTH, false, false],
    ['not with exactly as much free', { memoryUsedMiB: 13_824 }, TENTH, false, false],
    ['with less than a tenth free', { memoryUsedMiB: 13_825 }, TENTH, false, true],
    ['with what the driver keeps', { memoryUsedMiB: 13_500, memoryReservedMiB: 400 }, TENTH, false, true],
    ['with less free than the size', { memoryUsedMiB: 4_000 }, { bytes: 12 * GIB }, false, true],
    ['not with as much free as the size', { memoryUsedMiB: 3_000 }, { bytes: 12 * GIB }, false, false],
    ['always where it has less than the size', { memoryUsedMiB: 0 }, { bytes: 80 * GIB }, false, true],
    ['never without a minimum', { memoryUsedMiB: 15_360 }, { part: 0 }, true, false],
    ['still with a little more than a tenth', { memoryUsedMiB: 13_700 }, TENTH, true, true],
    ['no longer with 12 % free', { memoryUsedMiB: 13_500 }, TENTH, true, false],
    ['no longer where all is free', { memoryUsedMiB: 0 }, { bytes: 15_360 * 2 ** 20 }, true, false],
    ['not in MIG mode', { memoryUsedMiB: 15_360, migMode: true }, TENTH, false, false],
    ['not where its use is unknown', { memoryUsedMiB: undefined }, TENTH, false, false],
    ['not where it shares the host’s, which is free', UNKNOWN, TENTH, false, false],
    ['where it shares the host’s, which is not free', UNKNOWN, { bytes: 121 * GIB }, false, true],
  ])('%s', (_, gpu, min, wasShort, isShort) => {
    expect(shortageOf(aGpu(gpu), min, HOST, wasShort) !== undefined).toBe(isShort);
  });

  test('not where the host’s memory is unknown', () => {
    expect(shortageOf(aGpu(UNKNOWN), TENTH, undefined)).toBeUndefined();
  });
});

describe('the output of a failed job', () => {
  test.each([
    ['RuntimeError: CUDA error: out of memory', true],
    ['RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 15.78 GiB total)', true],
    ['torch.OutOfMemoryError: CUDA out of memory.', true],
    ['cuMemAlloc failed: CUDA_ERROR_OUT_OF_MEMORY: out of memory', true],
    ['jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory allocating', true],
    ['tensorflow ResourceExhaustedError: OOM when allocating tensor with shape[1]', true],
    ['CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)', true],
    ['MemoryError', false],
    ['ValueError: no', false],
    ['the shop is out of memory sticks', false],
    ['', false],
  ])('%j says that the GPU had too little memory: %s', (stderr, says) => {
    expect(isGpuOutOfMemory(stderr)).toBe(says);
  });
});

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
