import type { Gpu } from '../domain/gpu.ts';
import type { MinFreeMemory } from '../domain/gpu-memory.ts';

/** What the owner has decided for the agent. */
export type AgentSettings = {
  readonly pollIntervalMs: number;
  readonly jobTimeoutMs: number;
  /** The deadline of one call of nvidia-smi. */
  readonly gpuProbeMs: number;
  /** A GPU with less free memory gets no jobs. */
  readonly minFreeGpuMemory: MinFreeMemory;
  /** The temperature from which a GPU gets no new jobs, in degrees Celsius; Infinity: none. */
  readonly maxGpuTemperature: (gpu: Gpu) => number;
  /** Glob patterns of the images that may be used. */
  readonly imagePatterns: readonly string[];
  /** How many images are pulled at the same time. */
  readonly maxPulls: number;
  readonly diskLimitBytes: number;
  /** The most that a job may send and receive together; undefined: no limit. */
  readonly trafficLimitBytes: number | undefined;
  /** Nothing is claimed below this; below half of it, running jobs are released. */
  readonly minFreeBytes: number;
  /** How long a container may stay unkillable before its job is reported all the same. */
  readonly unkillableAfterMs: number;
  /** End when the market has nothing left for this host and everything is reported. */
  readonly once: boolean;
};
