import type { Clock } from '../../domain/ports/clock.ts';
import { backoffMs } from '../../lib/backoff.ts';
import { BackoffMap } from '../../lib/backoff-map.ts';
import { isOnceWaiting, RETRY, type RetryPolicy } from '../retry/policies.ts';

/** Why a run is skipped, as `decide` says it. */
export type BackoffReason = 'in-backoff' | 'no-open-jobs' | 'invalid';

type Failure = {
  readonly reason: BackoffReason;
  readonly cause:
    | 'no-open-jobs'
    | 'list-failed'
    | 'claim-refused'
    | 'report-pending'
    | 'host-fault'
    | 'invalid';
  /** `start --once` waits for the run after so many failures. */
  readonly onceFailures: number;
};

/** The runs that are left alone for a while, so that nothing is tried in a hot loop. Times are monotonic. */
export class RunBackoff {
  readonly #runs: BackoffMap<Failure>;
  #releases = 0;

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#runs = new BackoffMap(() => clock.monotonic());
  }

  /** Why a run waits now, and until when; undefined: it does not. */
  get(run: string): { readonly reason: BackoffReason; readonly until: number } | undefined {
    const waiting = this.#runs.waitingFor(run);
    return waiting && { reason: waiting.failure.reason, until: waiting.retryAt };
  }

  /** How many jobs of this host have gone back to their runs. */
  get releases(): number {
    return this.#releases;
  }

  noOpenJobs(run: string): void {
    this.#fail(run, 'no-open-jobs', RETRY.noOpenJobs, 'no-open-jobs');
  }

  /** Jobs of the run are open, and this host is still clearing up after them. */
  notYetClaimable(run: string): void {
    this.#fail(run, 'no-open-jobs', RETRY.listJobs, 'no-open-jobs');
  }

  /** A job of the run failed through this host. */
  hostFault(run: string): void {
    this.#fail(run, 'host-fault', RETRY.hostFault);
  }

  /** The jobs of the run could not be listed, or others were faster. */
  listFailed(run: string): void {
    this.#fail(run, 'list-failed', RETRY.listJobs);
  }

  /** The broker refused a job, perhaps because a report is pending. It may give one as soon as it has that report. */
  reportPending(run: string): void {
    this.#fail(run, 'report-pending', RETRY.listJobs);
  }

  /** The broker has accepted a report; returns whether a run has waited for that. */
  reportAccepted(): boolean {
    return this.#runs.retain((_, { failure }) => failure.cause !== 'report-pending') > 0;
  }

  /** The broker refuses jobs of the run: the bid is below the ask that it knows, or the run is gone. */
  refused(run: string): void {
    this.#fail(run, 'claim-refused', RETRY.claimRefused);
  }

  /** A job of the run was claimed, so the broker gives us its jobs. Whether they can run here is another question. */
  claimed(run: string): void {
    if (this.#runs.get(run)?.failure.cause !== 'host-fault') this.#runs.clear(run);
  }

  /** Skips the run for as long as it stays on the market. */
  invalid(run: string): void {
    this.#runs.fail(
      run,
      { reason: 'invalid', cause: 'invalid', onceFailures: 0 },
      () => Number.POSITIVE_INFINITY,
    );
  }

  /** When the next wait is over; Infinity where no run waits. */
  get nextRetryAt(): number {
    return this.#runs.nextRetryAt;
  }

  /** Whether `start --once` waits for a run. */
  get busy(): boolean {
    return isOnceWaiting(this.#runs);
  }

  /** A job of the run is open again. Whatever else keeps the run waiting still does. */
  jobReleased(run: string): void {
    this.#releases += 1;
    if (this.#runs.get(run)?.failure.reason === 'no-open-jobs') this.#runs.clear(run);
  }

  /** Lists the jobs of all runs again that had none open. */
  retryListing(): void {
    this.#runs.retain((_, { failure }) => failure.reason !== 'no-open-jobs');
  }

  /** Forgets the runs that have left the market. */
  retain(runs: ReadonlySet<string>): void {
    this.#runs.retain((run) => runs.has(run));
  }

  #fail(
    run: string,
    cause: Failure['cause'],
    policy: RetryPolicy,
    reason: BackoffReason = 'in-backoff',
  ): void {
    if (this.#runs.get(run)?.failure.reason !== reason) this.#runs.clear(run);
    const isHostFault = this.#runs.get(run)?.failure.cause === 'host-fault';
    const { onceFailures = 0 } = policy;
    const beside = this.#runs.waitingFor(run)?.failure ?? { onceFailures };
    const failure = {
      reason,
      cause: isHostFault ? 'host-fault' : cause,
      onceFailures: Math.min(onceFailures, beside.onceFailures),
    } as const;
    this.#runs.fail(run, failure, (failures) => backoffMs(policy, failures));
  }
}
