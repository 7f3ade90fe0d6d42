import type { MarketKnowledge } from '../../domain/decide.ts';
import type { Offer } from '../../domain/offer.ts';
import type { OpenRun } from '../../domain/run.ts';
import type { SeenRun } from './observed.ts';

/** By what an agent decides which runs it takes. The offer's own ask is of no consequence. */
export type Rules = { readonly offer: Offer; readonly knowledge: MarketKnowledge };

/** Takes every run whose bid meets the ask. */
export const TAKE_ALL: Rules = {
  offer: {
    key: 'gpu',
    kind: 'gpu',
    name: 'gpu',
    gpu: null,
    cudaCores: Number.POSITIVE_INFINITY,
    wholeGpu: true,
    askPrice: 0,
    slots: [],
    instance: '',
  },
  knowledge: {
    catalogue: new Map(),
    images: ['*'],
    imageState: () => 'ready',
    backoff: { get: () => undefined },
  },
};

/** What the claim loop would decide on, as far as it is known; `uuid` tells candidates of one run apart. Pure. */
export function openRunOf(
  uuid: string,
  seen: Pick<SeenRun, 'bid' | 'function' | 'image' | 'baseGpu'> & { readonly at: number },
  jobs: number,
  { knowledge: { catalogue }, offer: { kind } }: Rules,
): OpenRun {
  const baseGpu = seen.baseGpu ?? null;
  return {
    run: {
      uuid,
      functionUuid: seen.function,
      functionName: seen.function,
      // Without a catalogue nothing can be said about GPUs.
      baseGpu: catalogue.size === 0 ? null : baseGpu,
      baseGpuName: '',
      numJobs: jobs,
      bidPrice: seen.bid,
      createdAt: seen.at,
    },
    function: {
      uuid: seen.function,
      name: seen.function,
      runtime: RUNTIME,
      imageUuid: '',
      registryPath: seen.image,
    },
    image: { uuid: '', registryPath: seen.image, requiresGpu: kind === 'gpu', runtime: RUNTIME },
  };
}

/** Any that the agent supports: runs of others are marked as unsuitable. */
const RUNTIME = 'python36';
