import type { RunRow } from './rows.ts';

/** A list of runs with a version that changes exactly when the list does, and on which held calls wait. */
export class RunList {
  readonly #runs = new Map<string, RunRow>();
  readonly #waiters = new Set<() => void>();
  #version = 0;

  get version(): number {
    return this.#version;
  }

  /** How many calls are held. */
  get waiting(): number {
    return this.#waiters.size;
  }

  runs(): Iterable<RunRow> {
    return this.#runs.values();
  }

  /** Adds or removes the run, if that changes the list. */
  show(run: RunRow, shown: boolean): void {
    if (this.#runs.has(run.uuid) === shown) return;
    if (shown) this.#runs.set(run.uuid, run);
    else this.#runs.delete(run.uuid);
    this.touch();
  }

  /** Starts a new version with the same runs, because what an instance sees of them has changed. */
  touch(): void {
    this.#version += 1;
    for (const notify of this.#waiters) notify();
  }

  /** Waits until the list has another version or the signal aborts. Never rejects. */
  async changed(version: number, signal: AbortSignal): Promise<void> {
    if (this.#version !== version || signal.aborted) return;
    await new Promise<void>((resolve) => {
      const notify = (): void => {
        this.#waiters.delete(notify);
        signal.removeEventListener('abort', notify);
        resolve();
      };
      this.#waiters.add(notify);
      signal.addEventListener('abort', notify);
    });
  }
}
