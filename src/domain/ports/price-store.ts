import type { BootTime } from '../boot-time.ts';
import type { AuditEntry } from './decision-store.ts';

/** A time by the wall clock, in milliseconds, and by a clock that cannot be set. */
export type Instant = { readonly wall: number; readonly boot: BootTime };

/** Figures by name, units in the names. */
export type Figures = Readonly<Record<string, number>>;

/** What sets the ask of an offer remembers of it. Prices are US dollars per job and minute. */
export type PricingState = {
  readonly offer: string;
  readonly strategy: string;
  /** What the owner configured. */
  readonly start: number;
  readonly ask: number;
  /** Of the strategy. */
  readonly memory: Figures;
  /** The figures of the strategy's last answer. */
  readonly terms: Figures;
  /** When the strategy was asked last, or began. */
  readonly askedAt: Instant;
  /** When the ask was changed last, not counting rises to the floor; undefined: never. */
  readonly changedAt?: Instant | undefined;
  /** By the slot's id: the milliseconds since its last job for which it could have taken one. */
  readonly idleMs: Figures;
  /** The last change of a job that the strategy has seen. */
  readonly seenSeq: number;
};

/** A change of an ask. */
export type PriceChange = {
  /** Milliseconds of the wall clock. */
  readonly at: number;
  readonly offer: string;
  readonly before: number;
  readonly ask: number;
  readonly strategy: string;
  readonly reason: string;
  /** The limit that moved the ask; undefined: none. */
  readonly limitedBy: string | undefined;
  readonly terms: Figures;
};

/** The owner has stopped all changes of asks. */
export type PriceFreeze = {
  /** Milliseconds of the wall clock. */
  readonly at: number;
  readonly by: string;
  readonly note: string | undefined;
};

/** A job that has ended. Times are milliseconds of the wall clock. */
export type EndedSlotJob = {
  readonly slot: string;
  readonly from: number;
  readonly until: number;
  /** US dollars per minute. */
  readonly ask: number;
  readonly isPaid: boolean;
};

/** What asks were and why, on disk. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface PriceStore {
  /** Undefined: nothing that this agent can read. */
  state(offer: string): PricingState | undefined;
  /** In one transaction that is on disk before it returns. */
  save(state: PricingState, change?: PriceChange): void;
  /** The latest changes, newest first. */
  changes(limit: number): readonly PriceChange[];
  /** The latest change of an offer's ask. */
  lastChange(offer: string): PriceChange | undefined;
  freeze(): PriceFreeze | undefined;
  /** Stops changes, or with undefined lets them go on, and adds to the record of the owner's changes. */
  setFreeze(freeze: PriceFreeze | undefined, entry: AuditEntry): void;
  /** The number of the last change of any job. */
  lastSeq(): number;
  /** The jobs of an offer that ended after a change of any job, oldest first, and the last change. */
  endedAfter(offer: string, seq: number): { readonly seq: number; readonly jobs: readonly EndedSlotJob[] };
}
