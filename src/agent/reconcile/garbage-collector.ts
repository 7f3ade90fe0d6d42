import { asAgentError } from '../../domain/errors.ts';
import { SLOT_STATES } from '../../domain/job.ts';
import type { JobFiles } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { FoundContainer, Runtime } from '../../domain/ports/runtime.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { sleep } from '../../lib/sleep.ts';
import type { OrphanContainers } from '../jobs/orphan-containers.ts';

/** What is on this host. */
export type Found = {
  readonly containers: readonly Pick<FoundContainer, 'id' | 'job'>[];
  /** The jobs that have files here. */
  readonly folders: readonly string[];
};

/** What no job needs: containers by their id, folders by their job. */
export type Orphans = { readonly containers: readonly string[]; readonly folders: readonly string[] };

const NOTHING: Orphans = { containers: [], folders: [] };

/**
 * Finds what no job uses, and what of that to remove: only what was orphaned at the last collection too, because what
 * was just created, or is just being removed, has an owner that the journal does not show. Pure.
 */
export function planGarbageCollection(
  found: Found,
  isInUse: (job: string) => boolean,
  before: Orphans,
): { readonly orphans: Orphans; readonly remove: Orphans } {
  const orphans = {
    containers: found.containers.filter(({ job }) => !isInUse(job)).map(({ id }) => id),
    folders: found.folders.filter((job) => !isInUse(job)),
  };
  const remove = {
    containers: orphans.containers.filter((id) => before.containers.includes(id)),
    folders: orphans.folders.filter((job) => before.folders.includes(job)),
  };
  return { orphans, remove };
}

export type GarbageCollectorDeps = {
  readonly runtime: Pick<Runtime, 'list'>;
  readonly orphanContainers: Pick<OrphanContainers, 'remove' | 'has' | 'retain' | 'soon' | 'work'>;
  readonly files: JobFiles;
  readonly journal: Journal;
  readonly log: Log;
  /** Whether the job runner has the job in hand. */
  readonly isActive: (job: string) => boolean;
  /** How often to collect, and how long an orphan stays before it is removed, in milliseconds; for tests. */
  readonly everyMs?: number;
  readonly graceMs?: number;
};

/** How often orphans are looked for without a reason. */
const EVERY_MS = 600_000;
/** An orphan is removed this much later: longer than anything of a live job is missing from the journal. */
const GRACE_MS = 120_000;

/**
 * Removes this agent's containers and files that no job needs: such as a container whose removal failed, or one that
 * was created although the engine's answer was lost.
 */
export class GarbageCollector {
  readonly #deps: GarbageCollectorDeps;
  readonly #now = new Notifier();
  #before = NOTHING;

  constructor(deps: GarbageCollectorDeps) {
    this.#deps = deps;
  }

  /** Collects soon: the engine was unreachable, so something may have been orphaned. */
  soon(): void {
    this.#now.notify();
    this.#deps.orphanContainers.soon();
  }

  /** Collects now and then until the signal aborts; recovery has done so at the start. */
  async work(signal: AbortSignal): Promise<void> {
    await Promise.all([this.#collectRegularly(signal), this.#deps.orphanContainers.work(signal)]);
  }

  async #collectRegularly(signal: AbortSignal): Promise<void> {
    const { everyMs = EVERY_MS, graceMs = GRACE_MS } = this.#deps;
    for (;;) {
      const suspects = this.#before.containers.length + this.#before.folders.length;
      if (suspects === 0) await this.#now.wait(signal, everyMs);
      // Notifications must not shorten the grace.
      else await sleep(graceMs, signal);
      if (signal.aborted) return;
      try {
        await this.collect();
      } catch (thrown) {
        const { code, message } = asAgentError(thrown);
        this.#deps.log.debug({ event: 'garbage-collection-failed', code }, `orphans not listed: ${message}`);
      }
    }
  }

  /** Collects once. Throws where containers or files cannot be listed. */
  async collect(): Promise<void> {
    const { files, journal, orphanContainers, log, runtime } = this.#deps;
    const found = { containers: await runtime.list(), folders: await files.list() };
    orphanContainers.retain(new Set(found.containers.map(({ id }) => id)));
    // Asked after the listing: what has begun since is not in it.
    const open = new Set(journal.uuidsIn(...SLOT_STATES));
    // An orphan whose removal failed is tried again by its own clock.
    const inUse = (job: string): boolean =>
      open.has(job) || this.#deps.isActive(job) || orphanContainers.has(job);
    const { orphans, remove } = planGarbageCollection(found, inUse, this.#before);
    this.#before = orphans;
    for (const { id, job } of found.containers)
      if (remove.containers.includes(id) && (await orphanContainers.remove({ container: id, job })))
        log.info({ event: 'orphan-removed', container: id }, 'orphaned container removed');
    for (const job of remove.folders) await this.#removeFiles(job);
    const counts = { containers: orphans.containers.length, folders: orphans.folders.length };
    log.debug({ event: 'garbage-collected', ...counts }, 'orphans listed');
  }

  async #removeFiles(job: string): Promise<void> {
    const { files, log } = this.#deps;
    try {
      await files.remove(job);
      log.info({ event: 'orphan-removed', job }, 'orphaned files removed');
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      log.warn({ event: 'orphan-removal-failed', job, code }, `orphaned files not removed: ${message}`);
    }
  }
}
