import type { Decisions } from '../owner-decisions.ts';

/** One change of the owner's decisions, for the record. */
export type AuditEntry = {
  /** Milliseconds of the wall clock. */
  readonly at: number;
  /** Who changed something, as they named themselves. */
  readonly by: string;
  /** By which way: `control socket`, `command without an agent`. */
  readonly from: string;
  /** What was asked for, such as `pause`. */
  readonly action: string;
  readonly detail: string;
};

/** The owner's decisions on disk. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface DecisionStore {
  load(): Decisions;
  /** Replaces all decisions and adds to the record, in one transaction that is on disk before it returns. */
  save(decisions: Decisions, entry: AuditEntry): void;
  /** The latest entries of the record, newest first. */
  audit(limit: number): readonly AuditEntry[];
}
