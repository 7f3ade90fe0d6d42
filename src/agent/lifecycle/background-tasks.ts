import { asAgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';

/** Looks after loops that nobody waits for: one that ends with an error is told, unless the agent is leaving anyway. */
export class BackgroundTasks {
  readonly #running = new Set<Promise<void>>();
  readonly #log: Log;
  readonly #leaving: () => boolean;

  constructor(log: Log, leaving: () => boolean) {
    this.#log = log;
    this.#leaving = leaving;
  }

  run(loop: Promise<void>): void {
    const kept = loop
      .catch((thrown: unknown) => {
        const error = asAgentError(thrown);
        if (!this.#leaving())
          this.#log.error({ code: error.code, err: thrown }, `a loop ended: ${error.message}`);
      })
      .finally(() => this.#running.delete(kept));
    this.#running.add(kept);
  }

  /** Those that have not ended yet. */
  get running(): readonly Promise<void>[] {
    return [...this.#running];
  }
}
