import type { Gpu, GpuReading } from '../../domain/gpu.ts';
import { emptySample, type GpuSample } from '../../domain/gpu-sample.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { GpuProbe } from '../../domain/ports/gpu.ts';
import type { GpuSampler } from '../../domain/ports/gpu-samples.ts';
import { Notifier } from '../../lib/notifier.ts';
import { sleep } from '../../lib/sleep.ts';
import {
  fanPercent,
  type GpuFigures,
  type GpuLoad,
  type GpuSpec,
  NO_LOAD,
  nextFigures,
  steadyFigures,
} from './figures.ts';

/** A GPU that is not there. */
export type SimulatedGpu = GpuSpec & {
  readonly uuid: string;
  readonly model: string;
  readonly busId: string;
};

const INTERVAL_MS = 1_000;
/** What the driver keeps for itself. */
const DRIVER_MIB = 12;
const IDLE_CLOCK_MHZ = 210;

export type SimulatedGpusParts = {
  readonly gpus: readonly SimulatedGpu[];
  /** What jobs ask of the GPU with this uuid now. */
  readonly loadOf: (uuid: string) => GpuLoad;
  readonly clock: Clock;
  /** From 0 up to 1. */
  readonly random: () => number;
};

/** GPUs whose figures follow their jobs once a second, with the inertia of real ones; for the dry run. */
export class SimulatedGpus implements GpuProbe, GpuSampler {
  readonly sampled = new Notifier<readonly GpuSample[]>();
  readonly allAsleep = false;
  readonly #parts: SimulatedGpusParts;
  readonly #figures = new Map<string, GpuFigures>();
  readonly #latest = new Map<string, GpuSample>();
  #advancedAt: number;

  constructor(parts: SimulatedGpusParts) {
    this.#parts = parts;
    this.#advancedAt = parts.clock.monotonic();
    for (const gpu of parts.gpus) this.#figures.set(gpu.uuid, steadyFigures(gpu, NO_LOAD));
    this.#sample();
  }

  read(): Promise<GpuReading> {
    const gpus = this.#parts.gpus.map((gpu, index) => this.#seen(gpu, index));
    return Promise.resolve({ gpus, notices: [] });
  }

  latest(uuid: string): GpuSample | undefined {
    return this.#latest.get(uuid);
  }

  watch(): Disposable {
    return { [Symbol.dispose]: () => undefined };
  }

  learn(): void {}

  async work(signal: AbortSignal): Promise<void> {
    while (await sleep(INTERVAL_MS, signal)) {
      this.#advance();
      this.#sample();
      this.sampled.notify([...this.#latest.values()]);
    }
  }

  /** The joules that a GPU has taken so far, by its power at every moment: what its samples are measured by. */
  trueEnergy(uuid: string): number {
    this.#advance();
    return this.#figures.get(uuid)?.energyJ ?? 0;
  }

  #advance(): void {
    const { clock, gpus, loadOf, random } = this.#parts;
    const now = clock.monotonic();
    for (const gpu of gpus) {
      const change = { load: loadOf(gpu.uuid), ms: now - this.#advancedAt, noise: random() * 2 - 1 };
      this.#figures.set(gpu.uuid, nextFigures(gpu, this.#now(gpu), change));
    }
    this.#advancedAt = now;
  }

  #now(gpu: SimulatedGpu): GpuFigures {
    return this.#figures.get(gpu.uuid) ?? steadyFigures(gpu, NO_LOAD);
  }

  #memoryUsed({ memoryMiB, uuid }: SimulatedGpu): number {
    return Math.min(this.#parts.loadOf(uuid).memoryMiB + DRIVER_MIB, memoryMiB);
  }

  #sample(): void {
    const { clock, gpus } = this.#parts;
    for (const gpu of gpus) {
      const { powerW, temperatureC, utilizationPercent } = this.#now(gpu);
      const memoryUsedMiB = this.#memoryUsed(gpu);
      const isBusy = utilizationPercent >= 1;
      this.#latest.set(gpu.uuid, {
        ...emptySample(gpu.uuid, clock.now()),
        utilizationPercent: Math.round(utilizationPercent),
        memoryUsedMiB,
        memoryFreeMiB: gpu.memoryMiB - memoryUsedMiB,
        memoryTotalMiB: gpu.memoryMiB,
        temperatureC: Math.round(temperatureC),
        fanPercent: Math.round(fanPercent(temperatureC)),
        powerW: Number(powerW.toFixed(1)),
        powerLimitW: gpu.limitW,
        smClockMHz: isBusy ? Math.round(gpu.maxClockMHz * (1 - temperatureC / 1_000)) : IDLE_CLOCK_MHZ,
        pstate: isBusy ? 'P2' : 'P8',
        displayActive: false,
      });
    }
  }

  #seen(gpu: SimulatedGpu, index: number): Gpu {
    const { powerW, temperatureC, utilizationPercent } = this.#now(gpu);
    return {
      uuid: gpu.uuid,
      index,
      model: gpu.model,
      busId: gpu.busId,
      driver: 'simulated',
      memoryTotalMiB: gpu.memoryMiB,
      memoryUsedMiB: this.#memoryUsed(gpu),
      utilizationPercent: Math.round(utilizationPercent),
      temperatureC: Math.round(temperatureC),
      powerDrawW: powerW,
      powerLimitW: gpu.limitW,
      migMode: false,
      slices: [],
      fault: undefined,
    };
  }
}
