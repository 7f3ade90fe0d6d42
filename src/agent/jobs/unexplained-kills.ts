import type { Exit } from '../../domain/ports/runtime.ts';
import { LIMITS } from '../../limits.ts';

/** The exit codes of SIGHUP, SIGINT, SIGKILL and SIGTERM, by which people and programs end processes. */
const KILLED: readonly number[] = [129, 130, 137, 143];

/** So many jobs of a run in a row are believed to have been killed by something on this host that left no trace. */
const BELIEVED = 2;

/** So many are believed where it is known that this host was short of memory: the run may be what makes it so. */
const BELIEVED_IF_SHORT = 5;

/**
 * Jobs that were killed by nobody knows whom: `kill`, earlyoom and systemd-oomd leave no trace that this process can
 * read, and a job may also kill itself. Such a job is released, but not for ever.
 */
export class UnexplainedKills {
  readonly #inARow = new Map<string, number>();
  readonly #whileShort = new Map<string, number>();

  /** Why this host is taken to be at fault for an exit that nothing else explains; undefined: it is not. */
  fault(run: string, { code, oomKilled }: Pick<Exit, 'code' | 'oomKilled'>): string | undefined {
    if (oomKilled || !KILLED.includes(code)) {
      this.ended(run);
      return undefined;
    }
    return count(this.#inARow, run) > BELIEVED ? undefined : 'it was killed, perhaps by another program';
  }

  /** Why this host is at fault for a kill that its lack of memory explains; undefined: there were too many of the run. */
  faultIfShort(run: string): string | undefined {
    return count(this.#whileShort, run) > BELIEVED_IF_SHORT
      ? undefined
      : 'it was killed while this host was short of memory';
  }

  /** A job of the run has ended in another way. */
  ended(run: string): void {
    this.#inARow.delete(run);
    this.#whileShort.delete(run);
  }
}

function count(inARow: Map<string, number>, run: string): number {
  if (inARow.size >= LIMITS.broker.killedRuns.max) inARow.clear();
  const next = (inARow.get(run) ?? 0) + 1;
  inARow.set(run, next);
  return next;
}
