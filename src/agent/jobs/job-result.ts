import type { ErrorCode } from '../../domain/errors.ts';
import type { Report } from '../../domain/job.ts';

/**
 * What a release says of the engine: it could not start the job, or ended it or lost it. `killed`: it was killed by another
 * program or by itself. `owner`: its owner took the slot back. `other`: it says nothing, because something else of this host is the cause.
 */
export type ReleaseCause = 'start' | 'engine' | 'killed' | 'owner' | 'other';

/** How a job's life on this host ended. */
export type JobResult =
  /** The journal has its report. */
  | { readonly kind: 'reported'; readonly report: Report; readonly durationMs: number }
  /** The journal has its release: it goes back to the market. */
  | {
      readonly kind: 'released';
      readonly why: string;
      readonly cause: ReleaseCause;
      /** Why it could not be started; undefined: it was started. */
      readonly code?: ErrorCode;
    }
  /** The broker took it back. */
  | { readonly kind: 'cancelled' }
  /** A defect of the agent: the next start recovers it. */
  | { readonly kind: 'aborted' }
  /** The daemon ends, and the job goes on: the next start adopts it. */
  | { readonly kind: 'detached' };

/** A result whose job needs nothing of this host any more, but for what is still being removed. */
export type Departure = {
  readonly result: JobResult;
  /** Settles when the job's slot may be filled again; not later than `cleared`. */
  readonly vacant: Promise<void>;
  /** Settles when the job's container and files are gone, or the daemon ends. */
  readonly cleared: Promise<void>;
};

/** A departure with nothing left to remove. */
export function departed(result: JobResult): Departure {
  return { result, vacant: Promise.resolve(), cleared: Promise.resolve() };
}
