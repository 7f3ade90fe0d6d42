import type { Clock } from '../../../domain/ports/clock.ts';
import { NO_LOAD } from '../../../embedded/gpu/figures.ts';
import { type SimulatedGpu, SimulatedGpus } from '../../../embedded/gpu/simulated-gpus.ts';
import type { DryRunGpus } from '../gpu.ts';
import { JobLoads } from './job-loads.ts';
import { LIVE_SAMPLES } from './samples.ts';

/** The GPUs of a dry run that goes on. */
export const LIVE_GPUS: readonly [SimulatedGpu, SimulatedGpu] = [
  {
    uuid: 'GPU-4090a1c2-0000-4000-8000-00000000d00d',
    model: 'NVIDIA GeForce RTX 4090',
    busId: '00000000:01:00.0',
    memoryMiB: 24_564,
    idleW: 19,
    limitW: 450,
    maxClockMHz: 2_820,
  },
  {
    uuid: 'GPU-3060b3d4-0000-4000-8000-00000000d00d',
    model: 'NVIDIA GeForce RTX 3060',
    busId: '00000000:02:00.0',
    memoryMiB: 12_288,
    idleW: 13,
    limitW: 170,
    maxClockMHz: 1_890,
  },
];

/** Simulated GPUs whose figures follow the jobs of an agent. */
export function liveGpus(clock: Clock, random: () => number): DryRunGpus {
  const loads = new JobLoads((name) => LIVE_SAMPLES.find((sample) => sample.name === name)?.load ?? NO_LOAD);
  const gpus = new SimulatedGpus({ gpus: LIVE_GPUS, loadOf: (uuid) => loads.of(uuid), clock, random });
  return {
    probe: gpus,
    samples: gpus,
    observe: (event) => loads.observe(event),
    names: LIVE_GPUS.map(({ model }) => model).join(', '),
    simulated: '--docker uses the GPUs of this host',
  };
}
