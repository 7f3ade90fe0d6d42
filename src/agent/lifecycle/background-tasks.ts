import { asAgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';

/** Runs tasks that nobody waits for; one that fails is logged, unless the agent is ending. */
export class BackgroundTasks {
  readonly #running = new Set<Promise<void>>();
  readonly #log: Log;
  readonly #ending: AbortSignal;

  /** `ending` aborts when the agent is asked to end. */
  constructor(log: Log, ending: AbortSignal) {
    this.#log = log;
    this.#ending = ending;
  }

  run(task: Promise<void>): void {
    const kept = task
      .catch((thrown: unknown) => {
        const { code, message } = asAgentError(thrown);
        if (!this.#ending.aborted)
          this.#log.error({ event: 'task-failed', code, err: thrown }, `background task failed: ${message}`);
      })
      .finally(() => this.#running.delete(kept));
    this.#running.add(kept);
  }

  /** Settles once all tasks have ended. */
  async settled(): Promise<void> {
    await Promise.all(this.#running);
  }
}
