/** How a job of a function ended. */
export type FunctionOutcome = { readonly function: string; readonly isPaid: boolean };

/** How jobs ended, by function. Throws JOURNAL_UNUSABLE, STATE_DIR_UNUSABLE. */
export interface OutcomeStore {
  /** The latest jobs that the broker has accepted a report of, oldest first. */
  latest(): readonly FunctionOutcome[];
  /** The uuid of a job's function; undefined: not known. */
  functionOf(job: string): string | undefined;
}
