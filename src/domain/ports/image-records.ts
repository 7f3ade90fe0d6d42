import type { AuditEntry } from './decision-store.ts';

/** A pull of the agent's own that brought an image which the engine did not have. Times: milliseconds of the wall clock. */
export type OwnPull = {
  /** The engine's data: see `engineKey`. */
  readonly engine: string;
  /** The engine's own id of the image. */
  readonly imageId: string;
  /** The canonical reference that was pulled. */
  readonly ref: string;
  readonly pulledAt: number;
  /** Of the unpacked layers. */
  readonly bytes: number;
  /** When the agent removed the image again, or found it gone; undefined: it did not. */
  readonly removedAt: number | undefined;
};

/** What happened to an image, by its canonical reference, on one day. */
export type ImageDay = {
  readonly ref: string;
  /** Days since 1970 by UTC. */
  readonly day: number;
  /** Runs that wanted it, each counted once a day, and again after a restart of the agent. */
  readonly wanted: number;
  /** Claims that the broker decided on, and those that were won. */
  readonly tries: number;
  readonly wins: number;
  /** What the broker paid for jobs of it, in micro-dollars. */
  readonly earnedMicroDollars: number;
  /** When a job last used it, in milliseconds of the wall clock; undefined: on no time of this day. */
  readonly usedAt: number | undefined;
};

/** What all wins of a host earned together. */
export type ImageWins = { readonly wins: number; readonly earnedMicroDollars: number };

/** The owner keeps an image, by its canonical reference. */
export type ImagePin = {
  readonly ref: string;
  /** Milliseconds of the wall clock. */
  readonly at: number;
  readonly by: string;
};

/** What is known of images, on disk. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface ImageRecords {
  /** All pulls into this engine's data, oldest first, also of images that are removed again. */
  pulls(engine: string): readonly OwnPull[];
  /** Replaces an earlier pull of the same image by the same reference. */
  addPull(pull: OwnPull): void;
  removed(engine: string, imageId: string, at: number): void;
  /** Adds counts to those of the same image and day, in one transaction that is on disk before it returns. */
  addDays(days: readonly ImageDay[]): void;
  /** From this day on; may be thousands. */
  days(from: number): readonly ImageDay[];
  /** Of one image, from this day on, the latest first. */
  daysOf(ref: string, from: number): readonly ImageDay[];
  /** The images that most runs wanted from this day on, those first; at most `limit`. */
  wantedRefs(from: number, limit: number): readonly string[];
  /** The first day from this one on of which anything is known; undefined: none. */
  firstDay(from: number): number | undefined;
  /** Of all images, from this day on. */
  wins(from: number): ImageWins;
  /** The image of a job, by its canonical reference; undefined: not known. */
  imageOf(job: string): string | undefined;
  pins(): readonly ImagePin[];
  /**
   * Pins an image, or no longer, and adds to the record of the owner's changes. Answers whether anything changed. `pin` also
   * throws IMAGE_PINS_FULL.
   */
  pin(pin: ImagePin, entry: AuditEntry): boolean;
  unpin(ref: string, entry: AuditEntry): boolean;
}
