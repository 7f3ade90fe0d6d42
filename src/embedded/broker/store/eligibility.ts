import type { CatalogueGpu } from '../../../domain/gpu.ts';
import { type ImageRow, INSTANCE_TYPE, type InstanceRow, type RunRow } from './rows.ts';

/** What a run and an instance refer to; undefined: none, or deleted. */
export type References = {
  readonly image: ImageRow | undefined;
  readonly baseGpu: CatalogueGpu | undefined;
  readonly gpu: CatalogueGpu | undefined;
};

/**
 * Why the instance cannot win jobs of the run at its ask, as a sentence; undefined: it can. The number of parallel jobs does
 * not count, because an agent frees a slot before its report arrives.
 */
export function whyIneligible(
  run: RunRow,
  instance: InstanceRow,
  references: References,
): string | undefined {
  if (run.bidPrice < instance.askPrice) return 'The bid of this run is below the ask of this instance.';
  const isGpu = instance.type === INSTANCE_TYPE.GPU;
  if (references.image?.requiresGpu === true && !isGpu) return 'This run needs a GPU.';
  if (references.image?.requiresGpu === false && isGpu) return 'This run is for CPU instances.';
  if (isGpu && !satisfies(references.gpu, references.baseGpu))
    return 'The GPU of this instance is too small for this run.';
  return undefined;
}

/** A GPU is sufficient if it is the model asked for or has at least as many CUDA cores. */
function satisfies(gpu: CatalogueGpu | undefined, base: CatalogueGpu | undefined): boolean {
  if (base === undefined) return true;
  return gpu !== undefined && (gpu.uuid === base.uuid || gpu.cudaCores >= base.cudaCores);
}
