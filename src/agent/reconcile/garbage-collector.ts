import { asAgentError } from '../../domain/errors.ts';
import { SLOT_STATES } from '../../domain/job.ts';
import type { JobFiles } from '../../domain/ports/job-files.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import type { FoundContainer, Runtime } from '../../domain/ports/runtime.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';

/** What the sweep polls at. */
export type Found = {
  readonly containers: readonly Pick<FoundContainer, 'id' | 'job'>[];
  /** The jobs that have files here. */
  readonly folders: readonly string[];
};

/** What is nobody's: containers by their id, folders by their job. */
export type Orphans = { readonly containers: readonly string[]; readonly folders: readonly string[] };

const NOTHING: Orphans = { containers: [], folders: [] };

/**
 * What of that is nobody's. Pure. Its job is neither open nor told a lifecycle of, and it was nobody's at the look before
 * too: what has just been made, or is just being removed, is left alone.
 */
export function planGarbageCollection(
  found: Found,
  isInUse: (job: string) => boolean,
  before: Orphans,
): { readonly nobodys: Orphans; readonly remove: Orphans } {
  const nobodys = {
    containers: found.containers.filter(({ job }) => !isInUse(job)).map(({ id }) => id),
    folders: found.folders.filter((job) => !isInUse(job)),
  };
  const remove = {
    containers: nobodys.containers.filter((id) => before.containers.includes(id)),
    folders: nobodys.folders.filter((job) => before.folders.includes(job)),
  };
  return { nobodys, remove };
}

export type GarbageCollectorDeps = {
  readonly runtime: Runtime;
  readonly files: JobFiles;
  readonly journal: Journal;
  readonly log: Log;
  /** Whether a lifecycle is being told of the job in this process. */
  readonly isActive: (job: string) => boolean;
  /** How often to look, and how long something must have been nobody's, in milliseconds; for tests. */
  readonly everyMs?: number;
  readonly graceMs?: number;
};

/** Things are looked at this often without a reason. */
const EVERY_MS = 600_000;
/** What is nobody's at one look is removed at the next, this much later: longer than anything of ours lives unseen. */
const GRACE_MS = 120_000;

/**
 * Removes containers and files of this agent that no job of the journal needs any more and no lifecycle removes: such as a
 * container whose removal failed, or one that was made although the engine never came to say so.
 */
export class GarbageCollector {
  readonly #deps: GarbageCollectorDeps;
  readonly #now = new Notifier();
  #before = NOTHING;

  constructor(deps: GarbageCollectorDeps) {
    this.#deps = deps;
  }

  /** Looks soon: the engine was away, so something may have been left. */
  soon(): void {
    this.#now.notify();
  }

  /** Sweeps now and then until the signal aborts; recovery has done so at the start. */
  async work(signal: AbortSignal): Promise<void> {
    const { everyMs = EVERY_MS, graceMs = GRACE_MS } = this.#deps;
    for (;;) {
      const suspects = this.#before.containers.length + this.#before.folders.length;
      if (suspects === 0) await this.#now.wait(signal, everyMs);
      // Rings must not shorten the grace.
      else await new Notifier().wait(signal, graceMs);
      if (signal.aborted) return;
      await this.#tryToSweep();
    }
  }

  async #tryToSweep(): Promise<void> {
    try {
      await this.sweep();
    } catch (thrown) {
      const error = asAgentError(thrown);
      this.#deps.log.debug({ code: error.code }, `leftovers not looked for: ${error.message}`);
    }
  }

  /** One look. Throws where the engine or the state directory does not let itself be looked at. */
  async sweep(): Promise<void> {
    const { files, journal, log, runtime } = this.#deps;
    const found = { containers: await runtime.list(), folders: await files.list() };
    // Asked after the look: what has begun since is not in it.
    const open = new Set(journal.uuidsIn(...SLOT_STATES));
    const inUse = (job: string): boolean => open.has(job) || this.#deps.isActive(job);
    const { nobodys, remove } = planGarbageCollection(found, inUse, this.#before);
    this.#before = nobodys;
    for (const id of remove.containers) await this.#remove({ container: id }, () => runtime.remove(id));
    for (const job of remove.folders) await this.#remove({ job }, () => files.remove(job));
    log.debug(
      { containers: nobodys.containers.length, folders: nobodys.folders.length },
      'leftovers looked for',
    );
  }

  async #remove(what: Readonly<Record<string, string>>, removal: () => Promise<void>): Promise<void> {
    const { log } = this.#deps;
    const kind = 'container' in what ? 'container' : 'files';
    try {
      await removal();
      log.info(what, `leftover ${kind} removed`);
    } catch (thrown) {
      const error = asAgentError(thrown);
      log.warn({ ...what, code: error.code }, `leftover ${kind} not removed: ${error.message}`);
    }
  }
}
