import { describe, expect, test } from 'vitest';
import {
  type GpuFigures,
  NO_LOAD,
  nextFigures,
  steadyFigures,
} from '../../../../src/embedded/gpu/figures.ts';
import { SeededRandom } from '../../../../src/lib/seeded-random.ts';
import { aJobOn } from '../../../support/agent/gpu-scenario.ts';
import { Metering } from '../../../support/agent/metering.ts';
import { aGpu } from '../../../support/domain.ts';

const SPEC = { memoryMiB: 24_000, idleW: 25, limitW: 350, maxClockMHz: 1_900 };
const STEP_MS = 25;
const SEEDS = Array.from({ length: 20 }, (_, seed) => seed);

/** What a sensor shows: the mean of the last second, or of the last 25 ms. */
type Sensor = 'average' | 'instant';

/** A simulated GPU under a spiky load, which knows the energy that it takes, and what its sensor shows of it. */
class SpikyGpu {
  figures: GpuFigures = steadyFigures(SPEC, NO_LOAD);
  /** Its energy so far, of each step of the last second. */
  readonly #past: number[] = [];
  readonly #random: SeededRandom;
  #load = 0;
  #leftMs = 0;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  step(isBusy: boolean): void {
    this.#leftMs -= STEP_MS;
    if (this.#leftMs <= 0) {
      this.#leftMs = this.#random.between(50, 4_000);
      this.#load = this.#random.oneOf([0, 15, 60, 100]);
    }
    const load = { utilizationPercent: isBusy ? this.#load : 0, memoryMiB: 0 };
    const noise = this.#random.between(-1, 1);
    this.figures = nextFigures(SPEC, this.figures, { load, ms: STEP_MS, noise });
    this.#past.push(this.figures.energyJ);
    if (this.#past.length > 1_000 / STEP_MS + 1) this.#past.shift();
  }

  shown(sensor: Sensor): number {
    const steps = sensor === 'average' ? 1_000 / STEP_MS : 1;
    const from = this.#past.at(-1 - steps) ?? 0;
    return ((this.figures.energyJ - from) * 1_000) / (steps * STEP_MS);
  }
}

/**
 * Half an hour of a job, of which each twentieth sample is lost, and in the midst of which the driver is restarted, which takes
 * so long. Answers by how much the energy is wrong.
 */
function errorOf(seed: number, sensor: Sensor, model: string, restartMs: number) {
  const random = new SeededRandom(seed);
  const gpu = new SpikyGpu(random);
  const metering = new Metering([aGpu({ uuid: 'GPU-1', model })]);
  const pass = (ms: number, isBusy: boolean, isSeen = true): void => {
    for (let done = 0; done < ms; done += STEP_MS) {
      metering.clock.advance(STEP_MS);
      gpu.step(isBusy);
      const isDue = isSeen && metering.clock.now() % 1_000 === 0;
      if (isDue && random.next() >= 0.05) metering.sample({ 'GPU-1': gpu.shown(sensor) });
    }
  };
  pass(120_000, false);
  const job = metering.start(aJobOn('GPU-1', 'a'));
  const before = gpu.figures.energyJ;
  pass(900_000 + random.between(0, 1_000), true);
  pass(restartMs, true, false);
  pass(900_000 + random.between(0, 1_000), true);
  const trueJoules = gpu.figures.energyJ - before;
  const energy = metering.end(job);
  const { coveredMs = 0, idleJoules = 0, isEstimate, joules = 0, ms = 0 } = energy ?? {};
  const idleError = idleJoules / ((coveredMs * SPEC.idleW) / 1_000) - 1;
  return {
    error: Math.abs(joules / trueJoules - 1),
    /** With what was not measured as the mean of what was. */
    wholeError: Math.abs((joules * ms) / coveredMs / trueJoules - 1),
    idleError: Math.abs(idleError),
    isEstimate,
  };
}

describe('the energy of a job under a spiky load with lost samples and a restart of the driver', () => {
  test.each(SEEDS)('is right within 2 % (seed %i)', (seed) => {
    const { error, idleError, isEstimate } = errorOf(seed, 'average', 'NVIDIA GeForce RTX 3090', 20_000);
    expect(error).toBeLessThan(0.02);
    expect(idleError).toBeLessThan(0.02);
    expect(isEstimate).toBe(false);
  });

  test.each(SEEDS)(
    'is right within 5 % by a sensor that sees a part of the time, and an estimate (seed %i)',
    (seed) => {
      const { error, isEstimate } = errorOf(seed, 'instant', 'NVIDIA H100 80GB HBM3', 20_000);
      expect(error).toBeLessThan(0.05);
      expect(isEstimate).toBe(true);
    },
  );

  test.each(SEEDS)(
    'is an estimate where the driver does not answer for long, and right for the time it was there (seed %i)',
    (seed) => {
      const { isEstimate, wholeError } = errorOf(seed, 'average', 'NVIDIA GeForce RTX 3090', 300_000);
      expect(wholeError).toBeLessThan(0.05);
      expect(isEstimate).toBe(true);
    },
  );
});
