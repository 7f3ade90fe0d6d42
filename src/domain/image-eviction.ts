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
  'in-use': 'a container has it, or Docker would not remove it',
  needed: 'a job or a pull needs it',
  'too-young': 'it was pulled less than 10 minutes ago',
  'worth-keeping': 'its removal is not needed, or would free nothing',
} as const;

export type KeepReason = keyof typeof KEEP_REASONS;

/** Why images are evicted, with the text that owners see. */
export const EVICTION_REASONS = {
  'high-mark': 'the disk is fuller than --image-disk-high',
  'min-free-disk': 'less than --min-free-disk is free',
  owner: 'its owner asked for it',
} as const;

export type EvictionReason = keyof typeof EVICTION_REASONS;

/** A new image is not evicted: the job that it was pulled for may not have been claimed yet. */
const MIN_AGE_MS = 10 * 60_000;

/** The disk of the engine's data, in bytes, and the marks between which evictions work, as parts of it (0 to 1). */
export type ImageDisk = {
  readonly usedBytes: number;
  readonly totalBytes: number;
  readonly high: number;
  readonly low: number;
};

/** The marks between which evictions work, where so much of the disk has to stay free as well, in bytes. Pure. */
export function marksOf(
  disk: { readonly totalBytes: number },
  wanted: { readonly high: number; readonly low: number; readonly minFreeBytes: number },
): Pick<ImageDisk, 'high' | 'low'> {
  const floor = 1 - wanted.minFreeBytes / Math.max(disk.totalBytes, 1);
  // A disk on which that can never be free: no eviction helps.
  if (floor <= 0 || floor >= wanted.high) return { high: wanted.high, low: wanted.low };
  return { high: floor, low: Math.max(floor - (wanted.high - wanted.low), 0) };
}

export type EvictionPlan = {
  /** The first to go first. `freedBytes`: what its removal frees after those before it. */
  readonly evicted: readonly { readonly image: HeldImage; readonly freedBytes: number }[];
  readonly kept: readonly { readonly image: HeldImage; readonly reason: KeepReason }[];
};

/** Why an image must stay however full the disk is; undefined: it may go. Pure. */
export function protectionOf(image: HeldImage, now: number): KeepReason | undefined {
  // The agent brings it, without a pull.
  if (image.isTestImage) return 'test-image';
  if (image.pulledAt === undefined) return 'owners-image';
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
  const steps = planEvictionInSteps(images, disk, now);
  for (;;) {
    const { done, value } = steps.next();
    if (done === true) return value;
  }
}

/** As `planEviction`, with a `yield` after each small step, `long` after one that may take a millisecond: hundreds of images share layers. */
export function* planEvictionInSteps(
  images: readonly HeldImage[],
  disk: ImageDisk,
  now: number,
): Generator<void | 'long', EvictionPlan> {
  const kept: { image: HeldImage; reason: KeepReason }[] = [];
  const candidates: Layered[] = [];
  const all: Layered[] = [];
  const known = new Map<string, Layer>();
  for (const image of images) {
    const layered = { image, layers: layersOf(image, known) };
    all.push(layered);
    const reason = protectionOf(image, now);
    if (reason === undefined) candidates.push(layered);
    else kept.push({ image, reason });
    yield 'long';
  }
  const isAbove = disk.usedBytes > disk.high * disk.totalBytes;
  const excess = isAbove ? disk.usedBytes - disk.low * disk.totalBytes : 0;
  const chosen = yield* onlyNeeded(yield* chooseByValue(all, candidates, excess), all, excess);
  const going = new Set(chosen.map(({ image }) => image));
  for (const { image } of candidates) if (!going.has(image)) kept.push({ image, reason: 'worth-keeping' });
  const holders = yield* holdersOf(all);
  return { evicted: chosen.map((one) => ({ image: one.image, freedBytes: release(one, holders) })), kept };
}

/** A layer by a number of its own, since looking up digests takes most of the time. */
type Layer = { readonly number: number; readonly bytes: number };

/** An image with each of its layers once, although it may name one twice. */
type Layered = { readonly image: HeldImage; readonly layers: readonly Layer[] };

/** How many images have each layer, by the layer's number. */
type Holders = number[];

/** The candidates by value per byte until their removal frees enough, or all of them. */
function* chooseByValue(
  images: readonly Layered[],
  candidates: readonly Layered[],
  excess: number,
): Generator<void, readonly Layered[]> {
  const chosen: Layered[] = [];
  const holders = yield* holdersOf(images);
  const left = new Set(candidates);
  const removable = yield* holdersOf(candidates);
  let freed = 0;
  while (freed < excess) {
    let next: { readonly one: Layered; readonly rate: number } | undefined;
    for (const one of left) {
      const rate = one.image.valuePerDay / Math.max(shareOf(one, holders, removable), 1);
      const isBefore =
        rate === next?.rate ? one.image.id < next.one.image.id : rate < (next?.rate ?? Infinity);
      if (next === undefined || isBefore) next = { one, rate };
      yield;
    }
    if (next === undefined) break;
    left.delete(next.one);
    chosen.push(next.one);
    freed += release(next.one, holders);
    release(next.one, removable);
  }
  return chosen;
}

/** Takes back the most valuable of the chosen ones, as far as the others free as much as is needed, or as can be. */
function* onlyNeeded(
  chosen: readonly Layered[],
  images: readonly Layered[],
  excess: number,
): Generator<void, readonly Layered[]> {
  const holders = yield* holdersOf(images);
  let freed = 0;
  for (const one of chosen) {
    freed += release(one, holders);
    yield;
  }
  const goal = Math.min(excess, freed);
  const going = new Set(chosen);
  for (const one of chosen.toSorted(byValue)) {
    yield;
    const needs = one.layers.reduce((sum, { bytes, number }) => sum + (holders[number] === 0 ? bytes : 0), 0);
    if (freed - needs < goal) continue;
    freed -= needs;
    going.delete(one);
    for (const { number } of one.layers) holders[number] = (holders[number] ?? 0) + 1;
  }
  return [...going];
}

/** The most valuable first. */
function byValue({ image: a }: Layered, { image: b }: Layered): number {
  return b.valuePerDay - a.valuePerDay || (a.id < b.id ? -1 : 1);
}

function* holdersOf(images: readonly Layered[]): Generator<void, Holders> {
  const holders: Holders = [];
  for (const { layers } of images) {
    for (const { number } of layers) holders[number] = (holders[number] ?? 0) + 1;
    yield;
  }
  return holders;
}

/** An image's part of the bytes that can go: a layer is shared equally, and one of an image that stays counts nothing. */
function shareOf({ layers }: Layered, holders: Readonly<Holders>, removable: Readonly<Holders>): number {
  let share = 0;
  for (const { bytes, number } of layers) {
    const all = holders[number] ?? 0;
    if (all > 0 && all === removable[number]) share += bytes / all;
  }
  return share;
}

/** Removes an image from the count of holders; returns the bytes of the layers that nobody has now. */
function release({ layers }: Layered, holders: Holders): number {
  let freed = 0;
  for (const { bytes, number } of layers) {
    const left = (holders[number] ?? 0) - 1;
    holders[number] = left;
    if (left === 0) freed += bytes;
  }
  return freed;
}

/** Adds to the layers that are known. One of the same digest has the same bytes. */
function layersOf({ layers }: HeldImage, known: Map<string, Layer>): readonly Layer[] {
  const own = new Set<Layer>();
  for (const { bytes, digest } of layers) {
    const layer = known.get(digest) ?? { number: known.size, bytes };
    known.set(digest, layer);
    own.add(layer);
  }
  return [...own];
}
