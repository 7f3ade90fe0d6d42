import type { GpuSample } from '../gpu-sample.ts';

/** The figures of this host's GPUs as they are now: every second while jobs run on one or somebody watches, else every minute. */
export interface GpuSamples {
  /**
   * The latest sample of a GPU, or of the GPU that a slice is cut from. Undefined where there is none yet, or none that is
   * still true: the driver does not answer.
   */
  latest(uuid: string): GpuSample | undefined;
  /** Notified with the GPUs of each round; a round may come in parts. */
  readonly sampled: { subscribe(listener: (samples: readonly GpuSample[]) => void): void };
  /** Somebody watches from now on, until the result is disposed of. */
  watch(): Disposable;
}
