import type { CatalogueGpu } from '../../../domain/gpu.ts';
import { type ImageRow, INSTANCE_TYPE, type InstanceRow, type RunRow } from './rows.ts';

/** What a run and an instance point to; undefined where the broker no longer knows it. */
export type Facts = {
  readonly image: ImageRow | undefined;
  readonly baseGpu: CatalogueGpu | undefined;
  readonly gpu: CatalogueGpu | undefined;
};

/**
 * Why the instance can never win jobs of the run at its present ask, in a sentence; undefined where it can. What
 * the broker does not know (a deleted function) bars nobody. The number of parallel jobs does not either: an
 * agent frees the slot before its report has arrived, so the broker's count is behind.
 */
export function whyBarred(run: RunRow, instance: InstanceRow, facts: Facts): string | undefined {
  if (run.bidPrice < instance.askPrice) return 'The bid of this run is below the ask of this instance.';
  const isGpu = instance.type === INSTANCE_TYPE.GPU;
  if (facts.image?.requiresGpu === true && !isGpu) return 'This run needs a GPU.';
  if (facts.image?.requiresGpu === false && isGpu) return 'This run is for CPU instances.';
  if (isGpu && !satisfies(facts.gpu, facts.baseGpu))
    return 'The GPU of this instance is too small for this run.';
  return undefined;
}

/** A GPU will do when it is that model or has at least as many CUDA cores. */
function satisfies(gpu: CatalogueGpu | undefined, base: CatalogueGpu | undefined): boolean {
  if (base === undefined) return true;
  return gpu !== undefined && (gpu.uuid === base.uuid || gpu.cudaCores >= base.cudaCores);
}
