import type { InvalidItem } from '../../domain/ports/broker.ts';
import type { Log } from '../../lib/log.ts';

/** The broker decides how many there are: the memory of them is bounded. */
const MOST_REMEMBERED = 10_000;

type Listable = 'run' | 'job' | 'gpu' | 'instance';

/** Tells what the broker listed and nobody can read, once per item and reason. */
export class InvalidItemLog {
  readonly #log: Log;
  readonly #what: Listable;
  readonly #logged = new Set<string>();

  constructor(log: Log, what: Listable) {
    this.#log = log;
    this.#what = what;
  }

  log(items: readonly InvalidItem[]): void {
    for (const { reason, uuid } of items) {
      const key = `${uuid ?? '?'}: ${reason}`;
      if (this.#logged.has(key)) continue;
      if (this.#logged.size >= MOST_REMEMBERED) this.#logged.clear();
      this.#logged.add(key);
      this.#log.warn({ [this.#what]: uuid, reason }, `${this.#what} left alone: ill-formed`);
    }
  }
}
