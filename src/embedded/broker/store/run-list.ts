import type { RunRow } from './rows.ts';

/**
 * A list of runs that knows its version and wakes those who wait for the next one. The version changes exactly
 * when the list does; a change wakes the waiters once, and a wait costs nothing until then.
 */
export class RunList {
  readonly #runs = new Map<string, RunRow>();
  readonly #waiters = new Set<() => void>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  /** How many calls are held now. */
  get waiting(): number {
    return this.#waiters.size;
  }

  runs(): Iterable<RunRow> {
    return this.#runs.values();
  }

  /** Puts the run on the list or takes it off; nothing changes where it is so already. */
  show(run: RunRow, shown: boolean): void {
    if (this.#runs.has(run.uuid) === shown) return;
    if (shown) this.#runs.set(run.uuid, run);
    else this.#runs.delete(run.uuid);
    this.touch();
  }

  /** Makes it a new version although the same runs are on it: what somebody may see of them has changed. */
  touch(): void {
    this.#version += 1;
    for (const wake of this.#waiters) wake();
  }

  /** Waits until the list is no longer at `version`, or the signal ends the wait. Never rejects. */
  async changed(version: number, signal: AbortSignal): Promise<void> {
    if (this.#version !== version || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const wake = (): void => {
        this.#waiters.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.#waiters.add(wake);
      signal.addEventListener('abort', wake);
    });
  }
}
