/** A layer of an image; images that share it have it once on the disk. */
export type ImageLayer = { readonly digest: string; readonly bytes: number };

/** An image on this host, as far as an eviction depends on it. Times are milliseconds of the wall clock. */
export type HeldImage = {
  readonly id: string;
  readonly layers: readonly ImageLayer[];
  /** Micro-dollars. */
  readonly valuePerDay: number;
  /** When a pull of the agent brought it; undefined: it is the owner's, or that is in doubt. */
  readonly pulledAt: number | undefined;
  readonly isPinned: boolean;
  /** Whether a container has it, stopped ones included. */
  readonly hasContainer: boolean;
  /** Whether a claim, a claimed job or a pull under way needs it. */
  readonly isNeeded: boolean;
  /** Whether the agent tests this host with it. */
  readonly isTestImage: boolean;
};

/** Why an image stays, with the text that owners see. */
export const KEEP_REASONS = {
  'owners-image': 'the agent did not pull it',
  'test-image': 'the agent tests this host with it',
  pinned: 'it is pinned',
  'in-use': 'a container has it',
  needed: 'a job or a pull needs it',
  'too-young': 'it was pulled less than 10 minutes ago',
  'worth-keeping': 'its removal is not needed, or would free nothing',
} as const;

export type KeepReason = keyof typeof KEEP_REASONS;

/** A new image is not evicted: the job that it was pulled for may not have been claimed yet. */
const MIN_AGE_MS = 10 * 60_000;

/** The disk of the engine's data, in bytes, and the marks between which evictions work, as parts of it (0 to 1). */
export type ImageDisk = {
  readonly usedBytes: number;
  readonly totalBytes: number;
  readonly high: number;
  readonly low: number;
};

export type EvictionPlan = {
  /** The first to go first. `freedBytes`: what its removal frees after those before it. */
  readonly evicted: readonly { readonly image: HeldImage; readonly freedBytes: number }[];
  readonly kept: readonly { readonly image: HeldImage; readonly reason: KeepReason }[];
};

/** Why an image must stay however full the disk is; undefined: it may go. Pure. */
export function protectionOf(image: HeldImage, now: number): KeepReason | undefined {
  if (image.pulledAt === undefined) return 'owners-image';
  if (image.isTestImage) return 'test-image';
  if (image.isPinned) return 'pinned';
  if (image.hasContainer) return 'in-use';
  if (image.isNeeded) return 'needed';
  // A clock that was set back makes an image younger than nothing, which protects it too.
  return now - image.pulledAt < MIN_AGE_MS ? 'too-young' : undefined;
}

/**
 * Decides which images go: none up to the high mark; above it those of the lowest value per byte of their own, down to the
 * low mark. Pure. The order of the images makes no difference.
 */
export function planEviction(images: readonly HeldImage[], disk: ImageDisk, now: number): EvictionPlan {
  const kept: { image: HeldImage; reason: KeepReason }[] = [];
  const candidates: HeldImage[] = [];
  for (const image of images) {
    const reason = protectionOf(image, now);
    if (reason === undefined) candidates.push(image);
    else kept.push({ image, reason });
  }
  const isAbove = disk.usedBytes > disk.high * disk.totalBytes;
  const excess = isAbove ? disk.usedBytes - disk.low * disk.totalBytes : 0;
  const chosen = onlyNeeded(chooseByValue(images, candidates, excess), images, excess);
  const going = new Set(chosen);
  for (const image of candidates) if (!going.has(image)) kept.push({ image, reason: 'worth-keeping' });
  const holders = holdersOf(images);
  return { evicted: chosen.map((image) => ({ image, freedBytes: release(image, holders) })), kept };
}

/** The candidates by value per byte until their removal frees enough, or all of them. */
function chooseByValue(
  images: readonly HeldImage[],
  candidates: readonly HeldImage[],
  excess: number,
): readonly HeldImage[] {
  const chosen: HeldImage[] = [];
  const holders = holdersOf(images);
  const left = new Set(candidates);
  const removable = holdersOf(candidates);
  let freed = 0;
  while (freed < excess && left.size > 0) {
    const [next] = [...left]
      .map((image) => ({ image, rate: image.valuePerDay / Math.max(shareOf(image, holders, removable), 1) }))
      .toSorted((a, b) => a.rate - b.rate || (a.image.id < b.image.id ? -1 : 1));
    if (next === undefined) break;
    left.delete(next.image);
    chosen.push(next.image);
    freed += release(next.image, holders);
    release(next.image, removable);
  }
  return chosen;
}

/** Takes back the most valuable of the chosen ones, as far as the others free as much as is needed, or as can be. */
function onlyNeeded(
  chosen: readonly HeldImage[],
  images: readonly HeldImage[],
  excess: number,
): readonly HeldImage[] {
  const holders = holdersOf(images);
  let freed = chosen.reduce((sum, image) => sum + release(image, holders), 0);
  const goal = Math.min(excess, freed);
  const going = new Set(chosen);
  for (const image of chosen.toSorted((a, b) => b.valuePerDay - a.valuePerDay || (a.id < b.id ? -1 : 1))) {
    const layers = layersOf(image);
    const needs = layers.reduce((sum, { bytes, digest }) => sum + (holders.get(digest) === 0 ? bytes : 0), 0);
    if (freed - needs < goal) continue;
    freed -= needs;
    going.delete(image);
    for (const { digest } of layers) holders.set(digest, (holders.get(digest) ?? 0) + 1);
  }
  return [...going];
}

/** How many images have each layer. */
function holdersOf(images: readonly HeldImage[]): Map<string, number> {
  const holders = new Map<string, number>();
  for (const image of images)
    for (const { digest } of layersOf(image)) holders.set(digest, (holders.get(digest) ?? 0) + 1);
  return holders;
}

/** An image's part of the bytes that can go: a layer is shared equally, and one of an image that stays counts nothing. */
function shareOf(
  image: HeldImage,
  holders: ReadonlyMap<string, number>,
  removable: ReadonlyMap<string, number>,
): number {
  return layersOf(image).reduce((sum, { bytes, digest }) => {
    const all = holders.get(digest) ?? 0;
    return all > 0 && all === removable.get(digest) ? sum + bytes / all : sum;
  }, 0);
}

/** Removes an image from the count of holders; returns the bytes of the layers that nobody has now. */
function release(image: HeldImage, holders: Map<string, number>): number {
  let freed = 0;
  for (const { bytes, digest } of layersOf(image)) {
    const left = (holders.get(digest) ?? 0) - 1;
    holders.set(digest, left);
    if (left === 0) freed += bytes;
  }
  return freed;
}

/** An image may name a layer twice. */
function layersOf({ layers }: HeldImage): readonly ImageLayer[] {
  return [...new Map(layers.map((layer) => [layer.digest, layer])).values()];
}
