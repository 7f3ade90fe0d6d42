import type { Gpu } from '../../../src/domain/gpu.ts';
import { emptySample, type GpuSample } from '../../../src/domain/gpu-sample.ts';
import type { GpuSampler } from '../../../src/domain/ports/gpu-samples.ts';
import { Notifier } from '../../../src/lib/notifier.ts';

/** A sample of this GPU without any figure but those given. */
export function aSample(more: Partial<GpuSample> & { readonly uuid: string }): GpuSample {
  return { ...emptySample(more.uuid, 0), ...more };
}

/** A sampler that has the samples that a test gives it. */
export class ManualSampler implements GpuSampler {
  readonly sampled = new Notifier<readonly GpuSample[]>();
  /** How many watch now. */
  watchers = 0;
  learned: readonly Gpu[] = [];
  allAsleep = false;
  readonly #latest = new Map<string, GpuSample>();

  /** Takes these as the samples of a round. */
  give(...samples: readonly GpuSample[]): void {
    for (const sample of samples) this.#latest.set(sample.uuid, sample);
    this.sampled.notify(samples);
  }

  latest(uuid: string): GpuSample | undefined {
    return this.#latest.get(uuid);
  }

  watch(): Disposable {
    this.watchers += 1;
    return { [Symbol.dispose]: () => void (this.watchers -= 1) };
  }

  learn(gpus: readonly Gpu[]): void {
    this.learned = gpus;
  }

  work(): Promise<void> {
    return Promise.resolve();
  }
}
