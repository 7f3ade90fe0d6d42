import { expect, test } from 'vitest';
import { NO_LOAD } from '../../../../src/embedded/gpu/figures.ts';
import { SimulatedGpus } from '../../../../src/embedded/gpu/simulated-gpus.ts';
import { systemClock } from '../../../../src/lib/clock.ts';
import { VirtualTime } from '../../../support/clock/virtual-time.ts';

const GPU = {
  uuid: 'GPU-1',
  model: 'NVIDIA GeForce RTX 4090',
  busId: '00000000:01:00.0',
  memoryMiB: 24_564,
  idleW: 20,
  limitW: 450,
  maxClockMHz: 2_800,
};

test('a simulated GPU is sampled every second, and probe and sampler agree', async () => {
  await using time = new VirtualTime();
  let load = NO_LOAD;
  const gpus = new SimulatedGpus({ gpus: [GPU], loadOf: () => load, clock: systemClock, random: () => 0.5 });
  const powers: (number | undefined)[] = [];
  gpus.sampled.subscribe((samples) => powers.push(samples[0]?.powerW));
  const over = new AbortController();
  const working = gpus.work(over.signal);
  expect(gpus.latest('GPU-1')).toMatchObject({ utilizationPercent: 0, memoryUsedMiB: 12, powerW: 20 });
  load = { utilizationPercent: 90, memoryMiB: 5_000 };
  await time.passUntil(() => powers.length >= 10);
  expect(gpus.latest('GPU-1')).toMatchObject({ utilizationPercent: 90, memoryUsedMiB: 5_012, pstate: 'P2' });
  const { gpus: seen } = await gpus.read();
  expect(seen).toMatchObject([{ utilizationPercent: 90, memoryUsedMiB: 5_012, memoryTotalMiB: 24_564 }]);
  expect(gpus.trueEnergy('GPU-1')).toBeGreaterThan(5 * 300);
  load = NO_LOAD;
  // An owner who takes the GPU back does not wait for a sample.
  expect((await gpus.read()).gpus).toMatchObject([{ memoryUsedMiB: 12 }]);
  over.abort();
  await working;
});
