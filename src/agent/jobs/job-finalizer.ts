import { earnings, type JobRecord, type JobState, type Report } from '../../domain/job.ts';
import type { Traffic } from '../../domain/network-use.ts';
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
import { type Departure, departed, type JobResult, type ReleaseCause } from './job-result.ts';
import type { OrphanContainers } from './orphan-containers.ts';

/** A container that still runs after this long keeps its slot, but draining no longer waits for it. */
const STUCK_AFTER_MS = 30_000;

/** A release waits so long for the removal of a container that has ended, in milliseconds. */
const QUICK_REMOVAL_MS = 3_000;

export type JobFinalizerDeps = {
  readonly containers: JobContainers;
  readonly orphanContainers: Pick<OrphanContainers, 'remove'>;
  readonly files: Pick<JobFiles, 'remove'>;
  readonly journal: Pick<Journal, 'transition' | 'networkUse'>;
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

/** What is left of a job on this host. */
export type Remains = {
  /** Undefined: it has none. */
  readonly container: string | undefined;
  /** Whether the container may still run: then slot and release wait for its end. Nothing waits for its removal. */
  readonly mayRun: boolean;
};

/** When the container that may still run has ended (undefined: it has), and when nothing of the job is left to remove. */
type Ends = { readonly over: Promise<void> | undefined; readonly cleared: Promise<void> };

/** The ways in which a job leaves this host, each in the order that survives a crash at any point. */
export class JobFinalizer {
  readonly #deps: JobFinalizerDeps;
  /** Jobs that are over and whose containers cannot be ended. */
  readonly #stuck = new Set<string>();
  /** The removal behind the job that fills a slot now, by slot. */
  readonly #clearing = new Map<string, Promise<void>>();

  constructor(deps: JobFinalizerDeps) {
    this.#deps = deps;
  }

  /** Whether the job is over but for a container that cannot be ended. */
  isStuck(job: string): boolean {
    return this.#stuck.has(job);
  }

  /** Writes the whole report, then clears up. */
  async report(record: JobRecord, remains: Remains, report: Report, durationMs: number): Promise<Departure> {
    const { observe, reportPending } = this.#deps;
    const job = await this.write(record.uuid, { name: 'finished', report, durationMs });
    // First of all: nothing below may keep a report that is on disk from the broker.
    reportPending.notify();
    observe({
      kind: 'job-ended',
      job,
      report,
      durationMs,
      earned: earnings(report.status, record.askPrice, durationMs),
      traffic: this.#traffic(record),
    });
    const over = remains.mayRun ? this.#untilOver(record.uuid, remains) : undefined;
    return this.#leave(
      record.slot,
      { kind: 'reported', report, durationMs },
      this.#end(record, remains, over),
    );
  }

  /** Queues the job's release to the market. */
  async release(
    record: JobRecord,
    remains: Remains,
    why: string,
    cause: ReleaseCause = 'other',
  ): Promise<Departure> {
    const { detach, observe, reportPending } = this.#deps;
    // Once the broker knows of the release, the job may start elsewhere, and here as soon as its container is gone.
    await this.#untilOver(record.uuid, remains);
    const cleared = this.#clear(record.uuid, remains.container);
    await waitAtMost(QUICK_REMOVAL_MS, cleared, detach);
    if (detach.aborted) return departed({ kind: 'detached' });
    const job = await this.write(record.uuid, { name: 'releasing', why });
    observe({ kind: 'job-release-queued', job, why });
    reportPending.notify();
    return this.#leave(record.slot, { kind: 'released', why, cause }, { over: undefined, cleared });
  }

  /** Ends a job that the broker has taken back. */
  async cancel(record: JobRecord, container: string, why: string): Promise<Departure> {
    const { containers, detach, unkillableAfterMs, observe } = this.#deps;
    await this.write(record.uuid, { name: 'cancelling', why });
    await containers.stop(container, within(unkillableAfterMs, detach));
    const remains = { container, mayRun: true };
    const over = this.#untilOver(record.uuid, remains);
    // A container that cannot be ended must not keep the job from being over.
    await waitAtMost(STUCK_AFTER_MS, over, detach);
    if (detach.aborted) return departed({ kind: 'detached' });
    const job = await this.write(record.uuid, { name: 'dropped', why });
    observe({ kind: 'job-cancelled', job, why });
    return this.#leave(record.slot, { kind: 'cancelled' }, this.#end(record, remains, over));
  }

  /** Writes a job's state, however long the disk refuses. Throws where the change is invalid or the daemon ends. */
  write(job: string, state: JobState): Promise<JobRecord> {
    const { detach, journal } = this.#deps;
    return writeDurably({ ...this.#deps, signal: detach }, () => journal.transition(job, state));
  }

  /** What the job has sent and received; null: not known. */
  #traffic(record: JobRecord): Traffic | null {
    try {
      return this.#deps.journal.networkUse(record)?.traffic ?? null;
    } catch {
      // The disk may refuse a read. The report is written, and waits for no figure.
      return null;
    }
  }

  #end({ uuid }: JobRecord, { container }: Remains, over: Promise<void> | undefined): Ends {
    return { over, cleared: (over ?? Promise.resolve()).then(() => this.#clear(uuid, container)) };
  }

  /**
   * The slot of a container that has ended is vacant before it is removed, unless the container before it is still being
   * removed, too: that takes 30 seconds at most.
   */
  #leave(slot: string, result: JobResult, { cleared, over }: Ends): Departure {
    const before = this.#clearing.get(slot) ?? Promise.resolve();
    const clearing = cleared.finally(() => {
      if (this.#clearing.get(slot) === clearing) this.#clearing.delete(slot);
    });
    this.#clearing.set(slot, clearing);
    return { result, vacant: over ?? Promise.race([before, clearing]), cleared: clearing };
  }

  /** Settles once the container cannot run any more; the job is stuck while that takes long. */
  async #untilOver(job: string, { container, mayRun }: Remains): Promise<void> {
    if (container === undefined || !mayRun) return;
    const late = setTimeout(() => this.#stuck.add(job), STUCK_AFTER_MS);
    try {
      await this.#deps.containers.untilOver(job, container);
    } finally {
      clearTimeout(late);
      this.#stuck.delete(job);
    }
  }

  /** Removes the job's container and files. */
  async #clear(job: string, container: string | undefined): Promise<void> {
    const { detach, files, orphanContainers } = this.#deps;
    if (container !== undefined) await orphanContainers.remove({ container, job });
    await retryEngine({ ...this.#deps, signal: detach }, () => files.remove(job));
  }
}
