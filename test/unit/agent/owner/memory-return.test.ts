import { expect, test } from 'vitest';
import { MemoryReturn } from '../../../../src/agent/owner/memory-return.ts';
import type { Gpu } from '../../../../src/domain/gpu.ts';
import type { GpuProcess } from '../../../../src/domain/gpu-memory.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { VirtualTime } from '../../../support/clock/virtual-time.ts';
import { aGpu } from '../../../support/domain.ts';

const FULL = aGpu({ memoryUsedMiB: 9_000 });
const MIG = aGpu({ migMode: true, memoryUsedMiB: 9_000 });
const PROCESS: GpuProcess = { pid: 42, gpu: FULL.uuid, usedMiB: 8_000 };

test.each([
  ['free without a baseline, with little in use', aGpu(), undefined, [PROCESS], 'free', 0],
  ['in use above its baseline', FULL, 100, [], 'in-use', 8_900],
  ['in use without a baseline by a process', FULL, undefined, [PROCESS], 'in-use', 9_000],
  ['unknown without a baseline and a process', FULL, undefined, [], 'unknown', 9_000],
  ['in use without figures by a process', MIG, 100, [PROCESS], 'in-use', 8_000],
  ['unknown without figures and a process', MIG, 100, [], 'unknown', 0],
  ['in use by a process where nvidia-smi fails for the rest', undefined, 100, [PROCESS], 'in-use', 8_000],
  ['unknown where nvidia-smi fails', undefined, 100, [], 'unknown', 0],
] as const)('a GPU is %s', async (_, gpu: Gpu | undefined, idleMiB, processes, state, inUseMiB) => {
  await using time = new VirtualTime();
  const memory = new MemoryReturn({
    gpuHealth: {
      gpus: () => (gpu === undefined ? Promise.reject(new Error('no answer')) : Promise.resolve([gpu])),
      idleMemory: () => idleMiB,
      processesOn: () => Promise.resolve(processes),
    },
    clock: systemClock,
    signal: new AbortController().signal,
  });
  const returned = memory.returned([FULL], memory.idle([FULL]));
  await time.pass(11_000);
  const [found] = await returned;
  expect([found?.state, found?.inUseMiB]).toEqual([state, inUseMiB]);
});
