import type { CatalogueGpu } from './gpu.ts';

/** Room for one job. `gpu` is the uuid of its GPU or MIG slice; null for CPU jobs. */
export type Slot = { readonly id: string; readonly gpu: string | null };

/** What this host wants to offer, before it is registered: one per GPU model, and one for CPU jobs. */
export type OfferPlan = {
  /** Identifies the offer across restarts: `cpu`, `gpu:NVIDIA H100`, `gpu:NVIDIA H100 MIG 1g.18gb`. */
  readonly key: string;
  readonly kind: 'gpu' | 'cpu';
  readonly name: string;
  readonly gpu: CatalogueGpu | null;
  /** Compared with the cores of a run's `base_gpu`; a MIG slice has its share of the GPU's. */
  readonly cudaCores: number;
  /** False for MIG slices: a slice is not the catalogue's model. */
  readonly wholeGpu: boolean;
  /** US dollars per job and minute. */
  readonly askPrice: number;
  readonly slots: readonly Slot[];
  /** How many jobs it takes at once, where the owner keeps some slots from jobs; undefined: one for each slot. */
  readonly parallelJobs?: number | undefined;
};

/** How many jobs an offer takes at once. */
export function parallelJobsOf({ parallelJobs, slots }: Pick<OfferPlan, 'parallelJobs' | 'slots'>): number {
  return parallelJobs ?? slots.length;
}

/** A registered offer; `instance` is the broker's uuid for it. */
export type Offer = OfferPlan & { readonly instance: string };
