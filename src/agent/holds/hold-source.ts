import type { Hold, Target } from '../../domain/hold.ts';
import type { Notifier } from '../../lib/notifier.ts';

/** Something that may keep targets from new jobs, such as the owner's pauses or the calendar. */
export type HoldSource = {
  /** Why it keeps this target from new jobs now; undefined: it does not. Cheap, and without side effects. */
  hold(target: Target): Hold | undefined;
  /** When it keeps the target from new jobs, by the wall clock, from `from` or else now on; undefined: not known. */
  begins?(target: Target, from?: number): number | undefined;
  /** Notified whenever an answer may have changed. */
  readonly changed: Notifier;
};
