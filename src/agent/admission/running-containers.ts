import type { FoundContainer } from '../../domain/ports/runtime.ts';

/** The containers of this agent that may run now, by the engine's id: those of jobs, of canaries and of tests. */
export class RunningContainers {
  readonly #ids = new Set<string>();
  #areKnown = false;

  /** Those that were created and have not ended, as far as it is known. */
  get ids(): readonly string[] {
    return [...this.#ids];
  }

  /** Whether the engine has listed them once. Until then there may be others, of jobs that outlasted the agent before. */
  get areKnown(): boolean {
    return this.#areKnown;
  }

  created(id: string): void {
    this.#ids.add(id);
  }

  ended(id: string): void {
    this.#ids.delete(id);
  }

  /** What the engine lists; one that was created since is not in it. */
  listed(containers: readonly FoundContainer[]): void {
    this.#areKnown = true;
    for (const { id, state } of containers) {
      if (state === 'exited') this.#ids.delete(id);
      else this.#ids.add(id);
    }
  }
}
