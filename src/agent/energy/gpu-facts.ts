import { type Gpu, sliceShare } from '../../domain/gpu.ts';
import { isPartTimeSensor } from '../../domain/power-model.ts';

/** What the meter has to know of a GPU, or of a slice and the GPU that it is cut from. */
export type GpuFacts = {
  /** Itself, for a GPU. */
  readonly parent: string;
  /** The part of the GPU, from above 0 to 1. */
  readonly share: number;
  readonly limitW: number | undefined;
  readonly isPartTime: boolean;
};

/** The facts of GPUs and of their slices, by uuid. Pure. */
export function factsOf(gpus: readonly Gpu[]): ReadonlyMap<string, GpuFacts> {
  return new Map(
    gpus.flatMap((gpu) => {
      const facts = {
        parent: gpu.uuid,
        share: 1,
        limitW: gpu.powerLimitW,
        isPartTime: isPartTimeSensor(gpu.model),
      };
      const slices = gpu.slices.map(
        ({ profile, uuid }) => [uuid, { ...facts, share: sliceShare(profile) || 1 }] as const,
      );
      return [[gpu.uuid, facts] as const, ...slices];
    }),
  );
}
