import type { AuditEntry } from './decision-store.ts';

/** A pull of the agent's own that brought an image which the engine did not have. Times: milliseconds of the wall clock. */
export type OwnPull = {
  /** The engine's data: see EngineIdentity. */
  readonly engine: string;
  /** The engine's own id of the image. */
  readonly imageId: string;
  /** The canonical reference that was pulled. */
  readonly ref: string;
  readonly pulledAt: number;
  /** Of the unpacked layers. */
  readonly bytes: number;
  /** When the agent removed the image again; undefined: it did not. */
  readonly removedAt: number | undefined;
};

/** What happened to an image, by its canonical reference, on one day. */
export type ImageDay = {
  readonly ref: string;
  /** Days since 1970 by UTC. */
  readonly day: number;
  /** Runs that wanted it, each counted once a day. */
  readonly wanted: number;
  /** Claims that the broker decided on, and those that were won. */
  readonly tries: number;
  readonly wins: number;
  /** What the broker paid for jobs of it, in micro-dollars. */
  readonly earnedMicroDollars: number;
  /** When a job last used it, in milliseconds of the wall clock; undefined: on no time of this day. */
  readonly usedAt: number | undefined;
};

/** The owner keeps an image, by its canonical reference. */
export type ImagePin = {
  readonly ref: string;
  /** Milliseconds of the wall clock. */
  readonly at: number;
  readonly by: string;
};

/** What is known of images, on disk. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface ImageRecords {
  /** All pulls into this engine's data, also of images that the agent has removed since. */
  pulls(engine: string): readonly OwnPull[];
  addPull(pull: OwnPull): void;
  removed(engine: string, imageId: string, at: number): void;
  /** Adds counts to those of the same image and day, in one transaction that is on disk before it returns. */
  addDays(days: readonly ImageDay[]): void;
  /** From this day on. */
  days(from: number): readonly ImageDay[];
  pins(): readonly ImagePin[];
  /**
   * Pins an image, or no longer, and adds to the record of the owner's changes. Answers whether anything changed. `pin` also
   * throws IMAGE_PINS_FULL.
   */
  pin(pin: ImagePin, entry: AuditEntry): boolean;
  unpin(ref: string, entry: AuditEntry): boolean;
}
