import { z } from 'zod';
import { INSTANT } from './instant.ts';

const TEXT = z.string().nullable();
/** The disk of the engine's images, in bytes, and the marks between which evictions work, as parts of it (0 to 1). */
const DISK = z
  .object({ usedBytes: z.number(), totalBytes: z.number(), high: z.number(), low: z.number() })
  .nullable();

/** An image of the engine. Sizes are bytes of unpacked layers. */
const IMAGE = z.object({
  id: z.string(),
  /** Canonical references; empty: it has no name any more. */
  names: z.array(z.string()).readonly(),
  sizeBytes: z.number(),
  /** Of the layers that no other image has. */
  ownBytes: z.number(),
  /** Micro-dollars a day. */
  valuePerDayMicroDollars: z.int(),
  /** When the agent pulled it; null: it did not, or that is in doubt, so the image is the owner's. */
  pulledAt: INSTANT.nullable(),
  /** When a job last used it; null: on none of the days that are remembered. */
  usedAt: INSTANT.nullable(),
  pinned: z.boolean(),
  /** Why it stays, such as `pinned`, and its text; null: it goes next. */
  keep: TEXT,
  why: TEXT,
});

const REMOVED = z.object({
  id: z.string(),
  names: z.array(z.string()).readonly(),
  freedBytes: z.number(),
  valuePerDayMicroDollars: z.int(),
});

const PIN = z.object({ ref: z.string(), at: INSTANT, by: z.string() });

/** What views and commands about images answer. */
export const IMAGE_VIEWS = {
  images: z.object({
    /** Null: the engine's disk is not known, and nothing is evicted. */
    disk: DISK,
    images: z.array(IMAGE).readonly(),
    pins: z.array(PIN).readonly(),
  }),
  pinned: z.object({ changed: z.boolean(), pins: z.array(PIN).readonly() }),
  collected: z.object({
    /** Whether nothing was removed, and this only says what would be. */
    dryRun: z.boolean(),
    disk: DISK,
    /** The first that went, or would go, first. */
    removed: z.array(REMOVED).readonly(),
    kept: z.array(IMAGE).readonly(),
  }),
} as const;

const REF = z.string().min(1).max(512);

/** The bodies of requests about images. */
export const IMAGE_REQUESTS = {
  pin: z.strictObject({ image: REF }),
  unpin: z.strictObject({ image: REF }),
  collect: z.strictObject({ dryRun: z.boolean().optional() }),
} as const;
