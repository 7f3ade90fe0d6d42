import type { Gpu } from '../gpu.ts';
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

/** What samples the GPUs, for the one who runs it. */
export interface GpuSampler extends GpuSamples {
  /** Whether all GPUs are powered down now, so that a query would wake them. */
  readonly allAsleep: boolean;
  /** The GPUs to sample from now on, and their slices; there are none before. */
  learn(gpus: readonly Gpu[]): void;
  /** Samples until the signal aborts, and leaves no process behind. */
  work(signal: AbortSignal): Promise<void>;
}
