import type { InvalidItem } from '../../domain/ports.ts';
import type { Log } from '../../lib/log.ts';

/** The broker decides how many there are: the memory of them is bounded. */
const MOST_REMEMBERED = 10_000;

type Listable = 'run' | 'job' | 'gpu' | 'instance';

/** Tells what the broker listed and nobody can read, once per item and reason. */
export class Complaints {
  readonly #log: Log;
  readonly #what: Listable;
  readonly #told = new Set<string>();

  constructor(log: Log, what: Listable) {
    this.#log = log;
    this.#what = what;
  }

  about(items: readonly InvalidItem[]): void {
    for (const { reason, uuid } of items) {
      const key = `${uuid ?? '?'}: ${reason}`;
      if (this.#told.has(key)) continue;
      if (this.#told.size >= MOST_REMEMBERED) this.#told.clear();
      this.#told.add(key);
      this.#log.warn({ [this.#what]: uuid, reason }, `${this.#what} left alone: ill-formed`);
    }
  }
}
