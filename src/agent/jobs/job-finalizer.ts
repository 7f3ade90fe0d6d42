import { earnings, type JobRecord, type JobState, type Report } from '../../domain/job.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { JobFiles } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { Runtime } from '../../domain/ports/runtime.ts';
import { within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { sleep } from '../../lib/sleep.ts';
import type { Observer } from '../events/events.ts';
import { retryEngine } from '../retry/retry-engine.ts';
import { writeDurably } from '../retry/write-durably.ts';

/** How long a job has between SIGTERM and SIGKILL, and how long where its owner wants the machine now. */
const STOP_GRACE_MS = 10_000;
export const EVICTION_GRACE_MS = 3_000;

/** A container that is not gone after this long keeps its slot, but nobody waits for it any more. */
const CLEARING_PATIENCE_MS = 30_000;

export type JobFinalizerDeps = {
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly observe: Observer;
  /** Called when the broker is owed a report or a release. */
  readonly onPending: () => void;
  /** Aborted when the daemon stops: lifecycles end where they are, containers run on. */
  readonly detach: AbortSignal;
  /** How long a container may withstand being ended before its job is over all the same, in milliseconds. */
  readonly killPatienceMs: number;
};

/** The ways in which a job leaves this host, each in the order that survives a crash at any point. */
export class JobFinalizer {
  readonly #deps: JobFinalizerDeps;
  /** Jobs that are over and whose containers cannot be removed. */
  readonly #stuck = new Set<string>();
  /** Whom to tell that a job's slot may be filled again. */
  readonly #vacate = new Map<string, () => void>();
  /** What is being cleared away behind the job that fills a slot now, by slot. */
  readonly #behind = new Map<string, Promise<void>>();

  constructor(deps: JobFinalizerDeps) {
    this.#deps = deps;
  }

  /** Whether the job is over but for a container that does not go away. */
  isStuck(job: string): boolean {
    return this.#stuck.has(job);
  }

  /** Settles with `told`, the lifecycle of the job, or before it: as soon as the job's slot may be filled again. */
  async vacant(job: string, told: Promise<void>): Promise<void> {
    const over = Promise.withResolvers<void>();
    this.#vacate.set(job, over.resolve);
    const ended = told.finally(() => this.#vacate.delete(job));
    await Promise.race([over.promise, ended]);
  }

  /**
   * Writes the whole report, and then clears up. The slot of a job whose container has ended need not wait for that,
   * unless the container before it is still being removed too.
   */
  async finish(
    record: JobRecord,
    container: string | undefined,
    report: Report,
    durationMs: number,
    { unkillable = false }: { readonly unkillable?: boolean } = {},
  ): Promise<void> {
    const { observe, onPending } = this.#deps;
    const job = await this.write(record.uuid, { name: 'finished', report, durationMs });
    const earned = earnings(report.status, record.askPrice, durationMs);
    observe({ kind: 'job-ended', job, report, durationMs, earned });
    onPending();
    const before = this.#behind.get(record.slot);
    const cleared = this.#clearAtLength(record.uuid, container);
    this.#behind.set(record.slot, cleared);
    if (!unkillable) void Promise.resolve(before).then(this.#vacate.get(record.uuid));
    await cleared;
    if (this.#behind.get(record.slot) === cleared) this.#behind.delete(record.slot);
  }

  /** Gives the job back to the market. */
  async release(record: JobRecord, container: string | undefined, why: string): Promise<void> {
    // The container goes first: once the broker knows of the release, the job may start elsewhere.
    await this.#clear(record.uuid, container);
    if (this.#deps.detach.aborted) return;
    const job = await this.write(record.uuid, { name: 'releasing', why });
    this.#deps.observe({ kind: 'job-release-queued', job, why });
    this.#deps.onPending();
  }

  /** Ends a job that the broker has taken back. */
  async cancelled(record: JobRecord, container: string, why: string): Promise<void> {
    const { detach, killPatienceMs, observe } = this.#deps;
    await this.write(record.uuid, { name: 'cancelling', why });
    await this.stop(container, within(killPatienceMs, detach));
    const cleared = this.#clearAtLength(record.uuid, container);
    // Usually it is gone first; a container that does not go must not keep the job from being over.
    await Promise.race([cleared, sleep(CLEARING_PATIENCE_MS, detach)]);
    if (detach.aborted) return;
    const job = await this.write(record.uuid, { name: 'dropped', why });
    observe({ kind: 'job-cancelled', job, why });
    await cleared;
  }

  /** Ends a container, for as long as the signal lets us try. */
  async stop(container: string, signal: AbortSignal, graceMs: number = STOP_GRACE_MS): Promise<void> {
    await retryEngine({ ...this.#deps, signal }, () => this.#deps.runtime.stop(container, graceMs));
  }

  /**
   * Writes a job's state, for as long as the disk denies it: what happens next must not go ahead of the journal.
   * Throws where the change itself is wrong, or where the daemon is told to end first.
   */
  write(job: string, state: JobState): Promise<JobRecord> {
    const { detach, journal } = this.#deps;
    return writeDurably({ ...this.#deps, signal: detach }, () => journal.transition(job, state));
  }

  /** Clears up for as long as it takes; what takes long is not waited for by those who ask whether jobs run. */
  async #clearAtLength(job: string, container: string | undefined): Promise<void> {
    const late = setTimeout(() => this.#stuck.add(job), CLEARING_PATIENCE_MS);
    try {
      await this.#clear(job, container);
    } finally {
      clearTimeout(late);
      this.#stuck.delete(job);
    }
  }

  /** Removes what the job leaves on this host. */
  async #clear(job: string, container: string | undefined): Promise<void> {
    const { detach, files, runtime } = this.#deps;
    const options = { ...this.#deps, signal: detach };
    if (container !== undefined) await retryEngine(options, () => runtime.remove(container));
    await retryEngine(options, () => files.remove(job));
  }
}
