import type { CatalogueGpu } from './gpu.ts';
import { imageAllowed } from './image-ref.ts';
import { languageOf } from './language.ts';
import type { Offer } from './offer.ts';
import type { OpenRun, Run } from './run.ts';

/** Why a run is not taken, in the order in which the questions are asked. The words are shown to owners. */
export const SKIP_REASONS = {
  'bid-below-ask': 'the bid is below the ask',
  'in-backoff': 'it did not work here a moment ago and is left alone for a while',
  'no-open-jobs': 'none of its jobs is open',
  'gpu-unknown': 'it asks for a GPU that is not in the broker’s catalogue',
  'gpu-too-small': 'it asks for a bigger GPU',
  'no-slot': 'no slot is free',
  invalid: 'it cannot be read: its parameters or its function make no sense',
  unresolved: 'its function and image are being looked up',
  'unsupported-runtime': 'its function needs a language that the agent does not speak',
  'wrong-offer-type': 'its image is for the other kind of offer, CPU or GPU',
  'image-not-allowed': 'its image is not on the owner’s list',
  'image-failed': 'its image cannot be had',
  'image-not-pulled': 'its image is not here yet',
} as const;

export type SkipReason = keyof typeof SKIP_REASONS;

export type Verdict =
  | { readonly kind: 'take'; readonly open: OpenRun; readonly jobs: number }
  | { readonly kind: 'skip'; readonly open: OpenRun; readonly reason: SkipReason };

/** What is known beside the runs when it comes to a decision. */
export type MarketKnowledge = {
  readonly catalogue: ReadonlyMap<string, CatalogueGpu>;
  /** The owner's patterns of images. */
  readonly images: readonly string[];
  readonly imageState: (registryPath: string) => 'ready' | 'missing' | 'failed';
  /** Runs that are left alone for now, and why. */
  readonly backoff: ReadonlyMap<
    string,
    { readonly reason: 'in-backoff' | 'no-open-jobs' | 'invalid'; readonly until: number }
  >;
};

/**
 * What to do about each run: `take` up to `jobs` jobs of it, or skip it and why. Pure. Never takes a run below
 * the ask, never hands out more jobs than `freeSlots`. Best bid first, then an image that is already here, then
 * the oldest, then by uuid, so that the order of the input makes no difference. `now` is in the milliseconds of
 * `backoff`. The verdicts come in the order in which runs are considered: takes and late skips first.
 */
export function decide(
  runs: readonly OpenRun[],
  offer: Offer,
  freeSlots: number,
  knowledge: MarketKnowledge,
  now: number,
): readonly Verdict[] {
  const candidates: OpenRun[] = [];
  const skipped: Verdict[] = [];
  for (const open of runs) {
    const reason = whyNotFor(open.run, offer, knowledge, now);
    if (reason === undefined) candidates.push(open);
    else skipped.push({ kind: 'skip', open, reason });
  }
  const images = imagesOf(knowledge);
  const ranked = candidates.map((open) => rankedOf(open, images)).sort(byRank);
  let free = freeSlots;
  const considered = ranked.map(({ open }): Verdict => {
    const reason = whyNotHere(open, offer, images);
    if (reason !== undefined) return { kind: 'skip', open, reason };
    if (free <= 0) return { kind: 'skip', open, reason: 'no-slot' };
    const jobs = Math.min(open.run.numJobs, free);
    free -= jobs;
    return { kind: 'take', open, jobs };
  });
  return [...considered, ...skipped];
}

/** The questions that the run alone answers: cheap, asked of every run on the market. */
function whyNotFor(run: Run, offer: Offer, knowledge: MarketKnowledge, now: number): SkipReason | undefined {
  // A bid that is no number fails this comparison too, and so is never taken.
  if (!(run.bidPrice >= offer.askPrice)) return 'bid-below-ask';
  if (!(run.numJobs >= 1)) return 'invalid';
  const backoff = knowledge.backoff.get(run.uuid);
  if (backoff !== undefined && now < backoff.until) return backoff.reason;
  if (offer.kind === 'cpu') return undefined;
  return whyGpuWillNotDo(run, offer, knowledge.catalogue);
}

/** A GPU does when it is that model or has at least as many CUDA cores. */
function whyGpuWillNotDo(
  run: Run,
  offer: Offer,
  catalogue: ReadonlyMap<string, CatalogueGpu>,
): SkipReason | undefined {
  if (run.baseGpu === null) return undefined;
  if (offer.wholeGpu && run.baseGpu === offer.gpu?.uuid) return undefined;
  const least = catalogue.get(run.baseGpu);
  if (least === undefined) return 'gpu-unknown';
  return offer.cudaCores >= least.cudaCores ? undefined : 'gpu-too-small';
}

/** The questions that need the run's function and image. */
function whyNotHere(open: OpenRun, offer: Offer, images: (ref: string) => ImageView): SkipReason | undefined {
  if (open.function === undefined || open.image === undefined) return 'unresolved';
  if (languageOf(open.function.runtime) === undefined) return 'unsupported-runtime';
  if (open.image.requiresGpu !== (offer.kind === 'gpu')) return 'wrong-offer-type';
  const { allowed, state } = images(open.function.registryPath);
  if (!allowed) return 'image-not-allowed';
  if (state === 'failed') return 'image-failed';
  return state === 'ready' ? undefined : 'image-not-pulled';
}

type ImageView = {
  readonly allowed: boolean;
  readonly state: ReturnType<MarketKnowledge['imageState']>;
};

/** What is known of an image: many runs share a few, so each is looked at once. */
function imagesOf(knowledge: MarketKnowledge): (ref: string) => ImageView {
  const views = new Map<string, ImageView>();
  return (ref) => {
    const known = views.get(ref);
    if (known !== undefined) return known;
    const view = { allowed: imageAllowed(ref, knowledge.images), state: knowledge.imageState(ref) };
    views.set(ref, view);
    return view;
  };
}

/** A run, and beside it what its rank depends on: a comparison is made more than a million times. */
type Ranked = {
  readonly open: OpenRun;
  readonly bidPrice: number;
  readonly here: boolean;
  readonly createdAt: number;
};

function rankedOf(open: OpenRun, images: (ref: string) => ImageView): Ranked {
  const { bidPrice, createdAt } = open.run;
  const here = open.function !== undefined && images(open.function.registryPath).state === 'ready';
  return { open, bidPrice, here, createdAt };
}

function byRank(a: Ranked, b: Ranked): number {
  if (a.bidPrice !== b.bidPrice) return b.bidPrice - a.bidPrice;
  if (a.here !== b.here) return a.here ? -1 : 1;
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return a.open.run.uuid < b.open.run.uuid ? -1 : 1;
}
