import type { CatalogueGpu } from './gpu.ts';
import { imageAllowed } from './image-ref.ts';
import { languageOf } from './language.ts';
import type { Offer } from './offer.ts';
import type { OpenRun, Run } from './run.ts';
import { SlotRoom, type SlotWindows } from './slot-room.ts';
import { sortInSteps } from './sort-in-steps.ts';

/** Why a run is skipped, in the order of the checks, with the text that owners see. */
export const SKIP_REASONS = {
  'bid-below-ask': 'the bid is below the ask',
  'in-backoff': 'an attempt failed and the next one is not due yet',
  'no-open-jobs': 'the run has no open jobs',
  'gpu-unknown': 'the run asks for a GPU that is not in the broker’s catalogue',
  'gpu-too-small': 'the run asks for a larger GPU',
  'no-slot': 'no slot is free',
  'ends-after-window':
    'its jobs are expected to take longer than the owner’s schedule lets a free slot take jobs',
  'below-floor': 'the power of its jobs is expected to cost more than the ask brings',
  'gpu-memory-short': 'too little memory of the GPU is free (--min-free-gpu-memory)',
  invalid: 'the run, its function or its jobs’ arguments are invalid',
  unresolved: 'the run’s function and image are not looked up yet',
  'unsupported-runtime': 'the agent does not support the function’s runtime',
  'wrong-offer-type': 'the image is for the other offer type (CPU or GPU)',
  'image-not-allowed': 'the image is not on the owner’s list (--images)',
  'image-wrong-platform': 'the image is for another CPU architecture or operating system',
  'image-failed': 'the image could not be pulled',
  'image-not-pulled': 'the image is not pulled yet',
} as const;

export type SkipReason = keyof typeof SKIP_REASONS;

export type Verdict =
  | { readonly kind: 'take'; readonly open: OpenRun; readonly jobs: number }
  | { readonly kind: 'skip'; readonly open: OpenRun; readonly reason: SkipReason };

/** What is known of an image. A failed one may be pulled again later. */
export type ImageState = 'ready' | 'missing' | 'failed' | 'wrong-platform';

/** What a decision depends on beside the runs. */
export type MarketKnowledge = {
  readonly catalogue: ReadonlyMap<string, CatalogueGpu>;
  /** The owner's image patterns. */
  readonly images: readonly string[];
  readonly imageState: (registryPath: string) => ImageState;
  /** Runs that are in backoff, why, and until when. */
  readonly backoff: {
    get(
      runUuid: string,
    ): { readonly reason: 'in-backoff' | 'no-open-jobs' | 'invalid'; readonly until: number } | undefined;
  };
  /** Uuids of the GPUs whose memory others use; none by default. */
  readonly shortOfMemory?: ReadonlySet<string>;
  /** How likely a job of the run is paid, from 0 to 1; absent: all are equally likely. */
  readonly chancePaid?: (run: Run) => number;
  /** What a job of a run is expected to cost, in US dollars per minute; absent or undefined: not known. */
  readonly floor?: ((run: Run) => number | undefined) | undefined;
  /** Of the free slots; absent: none has an end. */
  readonly windows?: SlotWindows;
};

/**
 * Decides for each run: take up to `jobs` of its jobs, or skip it and why. Pure. Every job pays the ask, so the chance
 * to be paid ranks first; then bid, pulled image, age, uuid. The order of the input makes no difference. `now` is in the
 * milliseconds of `backoff`. Ranked verdicts come first.
 */
export function decide(
  runs: readonly OpenRun[],
  offer: Offer,
  freeSlots: number,
  knowledge: MarketKnowledge,
  now: number,
): readonly Verdict[] {
  const steps = decideInSteps(runs, offer, freeSlots, knowledge, now);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As `decide`, with a `yield` after each small step, because a broker may list more runs than one turn has time for. */
export function* decideInSteps(
  runs: readonly OpenRun[],
  offer: Offer,
  freeSlots: number,
  knowledge: MarketKnowledge,
  now: number,
): Generator<void, readonly Verdict[]> {
  const images = imagesOf(knowledge);
  const candidates: Ranked[] = [];
  const skipped: Verdict[] = [];
  for (const open of runs) {
    const reason = skipReasonOfRun(open.run, offer, knowledge, now);
    if (reason === undefined) candidates.push(rankedOf(open, images, knowledge));
    else skipped.push({ kind: 'skip', open, reason });
    yield;
  }
  const verdicts: Verdict[] = [];
  const room = new SlotRoom(freeSlots, knowledge.windows);
  for (const { open } of yield* sortInSteps(candidates, byRank)) {
    verdicts.push(verdictOf(open, offer, room, images, knowledge));
    yield;
  }
  for (const verdict of skipped) {
    verdicts.push(verdict);
    yield;
  }
  return verdicts;
}

function verdictOf(
  open: OpenRun,
  offer: Offer,
  room: SlotRoom,
  images: (ref: string) => ImageView,
  knowledge: MarketKnowledge,
): Verdict {
  const reason = skipReasonOfImage(open, offer, images);
  if (reason !== undefined) return { kind: 'skip', open, reason };
  if (room.isFull) return { kind: 'skip', open, reason: noSlotReason(offer, knowledge) };
  if (offer.askPrice < (knowledge.floor?.(open.run) ?? 0))
    return { kind: 'skip', open, reason: 'below-floor' };
  const jobs = room.take(open.run);
  return jobs === 0 ? { kind: 'skip', open, reason: 'ends-after-window' } : { kind: 'take', open, jobs };
}

function noSlotReason({ slots }: Offer, { shortOfMemory }: MarketKnowledge): SkipReason {
  const isShort = slots.some(({ gpu }) => gpu !== null && shortOfMemory?.has(gpu) === true);
  return isShort ? 'gpu-memory-short' : 'no-slot';
}

/** The checks that need the run alone. Cheap, because every run on the market gets them. */
function skipReasonOfRun(
  run: Run,
  offer: Offer,
  knowledge: MarketKnowledge,
  now: number,
): SkipReason | undefined {
  // Written so that a NaN bid is skipped too.
  if (!(run.bidPrice >= offer.askPrice)) return 'bid-below-ask';
  if (!(run.numJobs >= 1)) return 'invalid';
  const backoff = knowledge.backoff.get(run.uuid);
  if (backoff !== undefined && now < backoff.until) return backoff.reason;
  if (offer.kind === 'cpu') return undefined;
  return skipReasonOfGpu(run, offer, knowledge.catalogue);
}

/** A GPU is sufficient if it is the model asked for or has at least as many CUDA cores. */
export function skipReasonOfGpu(
  run: Pick<Run, 'baseGpu'>,
  offer: Offer,
  catalogue: ReadonlyMap<string, CatalogueGpu>,
): SkipReason | undefined {
  if (run.baseGpu === null) return undefined;
  if (offer.wholeGpu && run.baseGpu === offer.gpu?.uuid) return undefined;
  const wanted = catalogue.get(run.baseGpu);
  if (wanted === undefined) return 'gpu-unknown';
  return offer.cudaCores >= wanted.cudaCores ? undefined : 'gpu-too-small';
}

/** The checks that need the run's function and image. */
function skipReasonOfImage(
  open: OpenRun,
  offer: Offer,
  images: (ref: string) => ImageView,
): SkipReason | undefined {
  if (open.function === undefined || open.image === undefined) return 'unresolved';
  if (languageOf(open.function.runtime) === undefined) return 'unsupported-runtime';
  if (open.image.requiresGpu !== (offer.kind === 'gpu')) return 'wrong-offer-type';
  const { allowed, state } = images(open.function.registryPath);
  if (!allowed) return 'image-not-allowed';
  if (state === 'wrong-platform') return 'image-wrong-platform';
  if (state === 'failed') return 'image-failed';
  return state === 'ready' ? undefined : 'image-not-pulled';
}

type ImageView = {
  readonly allowed: boolean;
  readonly state: ImageState;
};

/** Memoizes the state of each image, because many runs share a few images. */
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

/** A run with its sort keys, computed once because a large market takes over a million comparisons. */
type Ranked = {
  readonly open: OpenRun;
  readonly chance: number;
  readonly bidPrice: number;
  readonly pulled: boolean;
  readonly createdAt: number;
};

function rankedOf(
  open: OpenRun,
  images: (ref: string) => ImageView,
  { chancePaid }: MarketKnowledge,
): Ranked {
  const { bidPrice, createdAt } = open.run;
  const chance = chancePaid?.(open.run) ?? 1;
  const pulled = open.function !== undefined && images(open.function.registryPath).state === 'ready';
  return { open, chance, bidPrice, pulled, createdAt };
}

function byRank(a: Ranked, b: Ranked): number {
  if (a.chance !== b.chance) return b.chance - a.chance;
  if (a.bidPrice !== b.bidPrice) return b.bidPrice - a.bidPrice;
  if (a.pulled !== b.pulled) return a.pulled ? -1 : 1;
  if (a.createdAt !== b.createdAt) return a.createdAt - b.createdAt;
  return a.open.run.uuid < b.open.run.uuid ? -1 : 1;
}
