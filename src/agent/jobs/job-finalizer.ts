import { earnings, type JobRecord, type JobState, type Report } from '../../domain/job.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobFiles } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import { waitAtMost, within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import type { Notifier } from '../../lib/notifier.ts';
import type { Observer } from '../events/events.ts';
import { retryEngine } from '../retry/retry-engine.ts';
import { writeDurably } from '../retry/write-durably.ts';
import type { JobContainers } from './job-containers.ts';
import { type Departure, departed } from './job-result.ts';

/** A container that is not removed after this long keeps its slot, but draining no longer waits for it. */
const STUCK_AFTER_MS = 30_000;

export type JobFinalizerDeps = {
  readonly containers: JobContainers;
  readonly files: Pick<JobFiles, 'remove'>;
  readonly journal: Pick<Journal, 'transition'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  /** Notified when the journal has a report or a release for the broker. */
  readonly reportPending: Notifier;
  /** Aborted when the daemon ends: containers run on. */
  readonly detach: AbortSignal;
  /** How long a container may stay unkillable before its job is over all the same, in milliseconds. */
  readonly unkillableAfterMs: number;
};

/** The ways in which a job leaves this host, each in the order that survives a crash at any point. */
export class JobFinalizer {
  readonly #deps: JobFinalizerDeps;
  /** Jobs that are over and whose containers cannot be removed. */
  readonly #stuck = new Set<string>();
  /** The removal behind the job that fills a slot now, by slot. */
  readonly #clearing = new Map<string, Promise<void>>();

  constructor(deps: JobFinalizerDeps) {
    this.#deps = deps;
  }

  /** Whether the job is over but for a container that cannot be removed. */
  isStuck(job: string): boolean {
    return this.#stuck.has(job);
  }

  /**
   * Writes the whole report, then clears up. The slot of a container that has ended is vacant before it is removed,
   * unless the container before it is still being removed too.
   */
  async report(
    record: JobRecord,
    container: string | undefined,
    report: Report,
    durationMs: number,
    { unkillable = false }: { readonly unkillable?: boolean } = {},
  ): Promise<Departure> {
    const { observe, reportPending } = this.#deps;
    const { slot, uuid } = record;
    const job = await this.write(uuid, { name: 'finished', report, durationMs });
    observe({
      kind: 'job-ended',
      job,
      report,
      durationMs,
      earned: earnings(report.status, record.askPrice, durationMs),
    });
    reportPending.notify();
    const before = this.#clearing.get(slot) ?? Promise.resolve();
    const cleared = this.#clearAtLength(uuid, container).finally(() => {
      if (this.#clearing.get(slot) === cleared) this.#clearing.delete(slot);
    });
    this.#clearing.set(slot, cleared);
    const result = { kind: 'reported', report, durationMs } as const;
    return { result, vacant: unkillable ? cleared : Promise.race([before, cleared]), cleared };
  }

  /** Queues the job's release to the market. */
  async release(record: JobRecord, container: string | undefined, why: string): Promise<Departure> {
    const { detach, observe, reportPending } = this.#deps;
    // The container goes first: once the broker knows of the release, the job may start elsewhere.
    await this.#clear(record.uuid, container);
    if (detach.aborted) return departed({ kind: 'detached' });
    const job = await this.write(record.uuid, { name: 'releasing', why });
    observe({ kind: 'job-release-queued', job, why });
    reportPending.notify();
    return departed({ kind: 'released', why });
  }

  /** Ends a job that the broker has taken back. */
  async cancel(record: JobRecord, container: string, why: string): Promise<Departure> {
    const { containers, detach, unkillableAfterMs, observe } = this.#deps;
    await this.write(record.uuid, { name: 'cancelling', why });
    await containers.stop(container, within(unkillableAfterMs, detach));
    const cleared = this.#clearAtLength(record.uuid, container);
    // A container that cannot be removed must not keep the job from being over.
    await waitAtMost(STUCK_AFTER_MS, cleared, detach);
    if (detach.aborted) return departed({ kind: 'detached' });
    const job = await this.write(record.uuid, { name: 'dropped', why });
    observe({ kind: 'job-cancelled', job, why });
    return { result: { kind: 'cancelled' }, vacant: cleared, cleared };
  }

  /** Writes a job's state, however long the disk refuses. Throws where the change is invalid or the daemon ends. */
  write(job: string, state: JobState): Promise<JobRecord> {
    const { detach, journal } = this.#deps;
    return writeDurably({ ...this.#deps, signal: detach }, () => journal.transition(job, state));
  }

  /** As `#clear`; the job is stuck while that takes long. */
  async #clearAtLength(job: string, container: string | undefined): Promise<void> {
    const late = setTimeout(() => this.#stuck.add(job), STUCK_AFTER_MS);
    try {
      await this.#clear(job, container);
    } finally {
      clearTimeout(late);
      this.#stuck.delete(job);
    }
  }

  /** Removes the job's container and files. */
  async #clear(job: string, container: string | undefined): Promise<void> {
    const { containers, detach, files } = this.#deps;
    if (container !== undefined) await containers.remove(container);
    await retryEngine({ ...this.#deps, signal: detach }, () => files.remove(job));
  }
}
