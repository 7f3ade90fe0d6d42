import type { Exit } from '../../domain/ports/runtime.ts';

/** The exit codes of SIGHUP, SIGINT, SIGKILL and SIGTERM, by which people and programs end processes. */
const KILLED: readonly number[] = [129, 130, 137, 143];

/** So many jobs of a run in a row are believed to have been killed by something on this host. */
const BELIEVED = 2;

/** The broker decides how many runs there are, so the memory of them is bounded. */
const MAX_RUNS = 10_000;

/**
 * Jobs that were killed by nobody knows whom: `kill`, earlyoom and systemd-oomd leave no trace that this process can
 * read, and a job may also kill itself. Such a job is released, but not for ever.
 */
export class UnexplainedKills {
  readonly #inARow = new Map<string, number>();

  /** Why this host is taken to be at fault for an exit that nothing else explains; undefined: it is not. */
  fault(run: string, { code, oomKilled }: Pick<Exit, 'code' | 'oomKilled'>): string | undefined {
    if (oomKilled || !KILLED.includes(code)) {
      this.ended(run);
      return undefined;
    }
    if (this.#inARow.size >= MAX_RUNS) this.#inARow.clear();
    const inARow = (this.#inARow.get(run) ?? 0) + 1;
    this.#inARow.set(run, inARow);
    return inARow > BELIEVED ? undefined : 'it was killed, perhaps by another program';
  }

  /** A job of the run has ended in another way. */
  ended(run: string): void {
    this.#inARow.delete(run);
  }
}
