import type { Clock } from '../../domain/ports/clock.ts';
import { earliest } from '../../lib/earliest.ts';

export type BackoffReason = 'in-backoff' | 'no-open-jobs' | 'invalid';
type Cause = 'no-open-jobs' | 'host-fault' | 'refused' | 'report-pending' | 'invalid';
export type BackoffEntry = {
  readonly reason: BackoffReason;
  readonly cause: Cause;
  readonly until: number;
  readonly times: number;
  /** Whether it may well work the next time. */
  readonly retryable: boolean;
};

/** A run with no open job is asked about again after this long. */
const NOTHING_OPEN_MS = 10_000;
const NOTHING_OPEN_MOST_MS = 60_000;

/** A run whose jobs could not be listed is asked about again after this long. */
const NOT_SEEN_MS = 500;
const NOT_SEEN_MOST_MS = 30_000;

/** So many failures in a row are taken for passing; more, and nobody need wait for the run. */
const RETRYABLE_FAILURES = { notSeen: 5, hostFault: 1 };

/** A run that failed through this host is left alone this long at first, then twice as long, ... */
const HOST_FAULT_MS = 15_000;
const HOST_FAULT_MOST_MS = 900_000;

/** Runs that are left alone for a while, so that nothing is tried in a hot loop. Times are monotonic. */
export class RunBackoff {
  readonly #clock: Clock;
  readonly #runs = new Map<string, BackoffEntry>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get all(): ReadonlyMap<string, BackoffEntry> {
    return this.#runs;
  }

  noOpenJobs(run: string): void {
    this.#put(run, 'no-open-jobs', 'no-open-jobs', NOTHING_OPEN_MS, NOTHING_OPEN_MOST_MS, 0);
  }

  hostFault(run: string): void {
    this.#put(
      run,
      'in-backoff',
      'host-fault',
      HOST_FAULT_MS,
      HOST_FAULT_MOST_MS,
      RETRYABLE_FAILURES.hostFault,
    );
  }

  /** The broker did not say which of its jobs are open. */
  listFailed(run: string): void {
    this.#put(run, 'in-backoff', 'refused', NOT_SEEN_MS, NOT_SEEN_MOST_MS, RETRYABLE_FAILURES.notSeen);
  }

  /** As `notSeen`; and once the broker has taken a report, it may well give us jobs of it. */
  reportPending(run: string): void {
    this.#put(run, 'in-backoff', 'report-pending', NOT_SEEN_MS, NOT_SEEN_MOST_MS, RETRYABLE_FAILURES.notSeen);
  }

  /** The broker has taken a report; answers whether a run was set backoff until then. */
  reportAccepted(): boolean {
    const waiting = [...this.#runs].filter(([, { cause }]) => cause === 'report-pending');
    for (const [run] of waiting) this.#runs.delete(run);
    return waiting.length > 0;
  }

  /** The broker refuses us its jobs: the bid is below the ask that it knows, or what it listed is gone. */
  refused(run: string): void {
    this.#put(run, 'in-backoff', 'refused', HOST_FAULT_MS, HOST_FAULT_MOST_MS, 0);
  }

  /** A job of it was won: the broker gives us its jobs. Whether they can run here is another question. */
  claimed(run: string): void {
    if (this.#runs.get(run)?.cause !== 'host-fault') this.#runs.delete(run);
  }

  /** For good: as long as the run stays on the market. */
  invalid(run: string): void {
    const until = Number.POSITIVE_INFINITY;
    this.#runs.set(run, { reason: 'invalid', cause: 'invalid', until, times: 1, retryable: false });
  }

  /** When the next run is to be looked at again; Infinity where none is. */
  get nextRetryAt(): number {
    const now = this.#clock.monotonic();
    return earliest([...this.#runs.values()].map(({ until }) => until).filter((until) => until > now));
  }

  /** Whether a run is set backoff that may well work the next time. */
  get busy(): boolean {
    const now = this.#clock.monotonic();
    return [...this.#runs.values()].some(({ retryable, until }) => retryable && until > now);
  }

  /** A job of it is open again: «nothing open» is a question again, whatever else speaks against the run still does. */
  jobReleased(run: string): void {
    if (this.#runs.get(run)?.reason === 'no-open-jobs') this.#runs.delete(run);
  }

  /** Makes «nothing open» a question again. */
  retryListing(): void {
    for (const [run, backoff] of this.#runs) if (backoff.reason === 'no-open-jobs') this.#runs.delete(run);
  }

  /** Forgets the runs that have left the market. */
  retain(runs: ReadonlySet<string>): void {
    for (const run of this.#runs.keys()) if (!runs.has(run)) this.#runs.delete(run);
  }

  #put(
    run: string,
    reason: BackoffReason,
    cause: Cause,
    initialMs: number,
    maxMs: number,
    hopefulTimes: number,
  ): void {
    const now = this.#clock.monotonic();
    const before = this.#runs.get(run);
    const again = before?.reason === reason;
    // Jobs of a run fail side by side: what fails while the run is set backoff is the same failure.
    const times = again ? before.times + (before.until > now ? 0 : 1) : 1;
    const until = now + Math.min(initialMs * 2 ** (times - 1), maxMs);
    this.#runs.set(run, {
      reason,
      cause: again && before.cause === 'host-fault' ? 'host-fault' : cause,
      times,
      until: again ? Math.max(until, before.until) : until,
      retryable: times <= hopefulTimes && !(again && before.until > now && !before.retryable),
    });
  }
}
