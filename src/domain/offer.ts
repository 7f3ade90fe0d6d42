import type { CatalogueGpu } from './gpu.ts';

/** Room for one job. `gpu` is the uuid of the GPU or MIG slice that it stands on; null for CPU jobs. */
export type Slot = { readonly id: string; readonly gpu: string | null };

/** What this host puts on the market, before the broker knows of it: one per GPU model, and one for CPU jobs. */
export type OfferPlan = {
  /** Names the offer for good, in the journal too: `cpu`, `gpu:NVIDIA H100`, `gpu:NVIDIA H100 MIG 1g.18gb`. */
  readonly key: string;
  readonly kind: 'gpu' | 'cpu';
  readonly name: string;
  readonly gpu: CatalogueGpu | null;
  /** What `base_gpu` is compared with; a MIG slice has its share of the whole GPU's. */
  readonly cudaCores: number;
  /** False where the GPU is only a part of the catalogue's model, and so never «that model» by name. */
  readonly wholeGpu: boolean;
  /** US dollars per job and minute. */
  readonly askPrice: number;
  readonly slots: readonly Slot[];
};

/** An offer that the broker knows: `instance` is its uuid there. */
export type Offer = OfferPlan & { readonly instance: string };
