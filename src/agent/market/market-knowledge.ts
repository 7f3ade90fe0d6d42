import type { MarketKnowledge } from '../../domain/decide.ts';
import type { Offer } from '../../domain/offer.ts';
import type { Run } from '../../domain/run.ts';
import type { ImagePuller } from '../images/image-puller.ts';
import type { OfferSlots } from '../jobs/slot-pool.ts';
import type { GpuCatalogue } from '../offers/gpu-catalogue.ts';
import type { JobWindows } from './job-windows.ts';
import type { PaidChances } from './paid-chances.ts';
import type { RunBackoff } from './run-backoff.ts';

/** What knows it. */
export type KnowledgeSources = {
  readonly offer: () => Offer;
  readonly catalogue: Pick<GpuCatalogue, 'gpus'>;
  readonly images: Pick<ImagePuller, 'state'>;
  readonly imagePatterns: readonly string[];
  readonly backoff: RunBackoff;
  readonly chances: PaidChances;
  readonly slots: OfferSlots;
  readonly windows: JobWindows;
  /** What a job that takes so long costs, in US dollars per minute; undefined: not known. */
  readonly floor: (offer: Offer, durationMs: number) => number | undefined;
};

/** What a decision of an offer depends on beside the runs, as it is now. */
export function knowledgeOf(sources: KnowledgeSources): MarketKnowledge {
  const { backoff, catalogue, chances, floor, imagePatterns, images, offer, slots, windows } = sources;
  return {
    catalogue: catalogue.gpus,
    images: imagePatterns,
    imageState: (ref) => images.state(ref),
    backoff,
    chancePaid: chances.of,
    windows: windows.of(slots),
    floor: (run: Run) => floor(offer(), windows.expectedMs(run)),
  };
}
