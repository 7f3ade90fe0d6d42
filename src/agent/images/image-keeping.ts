import type { ImageBytes, OwnersBytes } from '../../domain/image-bytes.ts';
import type { EvictionPlan, HeldImage, ImageDisk, KeepReason } from '../../domain/image-eviction.ts';
import type { ImagePin } from '../../domain/ports/image-records.ts';
import type { Giver } from '../holds/owner-control.ts';

/** An image of the engine, for its owner. Times: milliseconds of the wall clock; bytes: of unpacked layers. */
export type ImageView = ImageBytes & {
  /** The engine's own. */
  readonly id: string;
  /** Canonical references; empty: it has no name any more. */
  readonly names: readonly string[];
  /** Micro-dollars. */
  readonly valuePerDay: number;
  /** When a job last used it, as far as is known. */
  readonly usedAt: number | undefined;
  /** When a pull of the agent brought it; undefined: it is the owner's, or that is in doubt. */
  readonly pulledAt: number | undefined;
  readonly isPinned: boolean;
  /** Why it stays; undefined: it goes next. */
  readonly keep: KeepReason | undefined;
};

/** The images on this host. */
export type ImageList = {
  /** The disk of the engine's data; undefined: unknown, and nothing is evicted. */
  readonly disk: ImageDisk | undefined;
  readonly images: readonly ImageView[];
};

/** An image that goes, or has gone; `freedBytes`: what its removal frees after those before it. */
export type CollectedImage = Pick<ImageView, 'id' | 'names' | 'valuePerDay'> & {
  readonly freedBytes: number;
};

/** What a collection removes, down to the low mark of the disk. */
export type ImageCollection = {
  /** Before it. */
  readonly disk: ImageDisk | undefined;
  readonly removed: readonly CollectedImage[];
  /** Every other image, with why it stays. */
  readonly kept: readonly ImageView[];
};

/** What the owner may ask of images. */
export interface ImageKeeping {
  /** Empty where jobs run in no containers. Throws RUNTIME_UNAVAILABLE, JOURNAL_UNUSABLE. */
  list(signal: AbortSignal): Promise<ImageList>;
  /** What images take, as of a minute ago or two; undefined: not known. Never throws. */
  totals(): OwnersBytes | undefined;
  pins(): readonly ImagePin[];
  /**
   * Keeps an image from evictions, whether it is pulled or not; stored before it takes effect. Answers the pin, and whether
   * it is new. Throws IMAGE_NAME_INVALID, IMAGE_PINS_FULL, JOURNAL_UNUSABLE.
   */
  pin(name: string, giver: Giver): { readonly changed: boolean; readonly pin: ImagePin };
  /** Answers the canonical reference, and whether it was pinned. Throws IMAGE_NAME_INVALID, JOURNAL_UNUSABLE. */
  unpin(name: string, giver: Giver): { readonly changed: boolean; readonly ref: string };
  /**
   * Removes images down to the low mark of the disk although it is not above the high one; with `isDryRun` only says which.
   * Throws IMAGES_UNKNOWN, and as `list`.
   */
  gc(isDryRun: boolean, giver: Giver, signal: AbortSignal): Promise<ImageCollection>;
}

/** What goes and what stays, of all images of the engine. */
export type CollectorPlan = {
  /** Undefined: unknown, and nothing goes. */
  readonly disk: ImageDisk | undefined;
  readonly images: readonly {
    /** The canonical references that runs and owners know it by. */
    readonly refs: readonly string[];
    readonly held: HeldImage;
  }[];
  readonly plan: EvictionPlan;
};

/** What evicts images, for `ImageKeeping`. Throws RUNTIME_UNAVAILABLE, JOURNAL_UNUSABLE. */
export interface ImageCollector {
  /** By the marks in force, or down to the low mark from wherever the disk is. Removes nothing. */
  plan(until: 'marks' | 'low', signal: AbortSignal): Promise<CollectorPlan>;
  /** Removes images down to the low mark. Answers the disk before, what has gone, and why the others stay. */
  collect(signal: AbortSignal): Promise<CollectorPlan>;
}
