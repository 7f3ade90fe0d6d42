import { LIMITS } from '../limits.ts';

export type OncePerChangeOptions = {
  /** A value counts as new again after so many milliseconds of `now`; by default never. */
  readonly repeatMs?: number;
  readonly now?: () => number;
  /** With more keys, all are forgotten. Infinity for an owner that calls `retain`. */
  readonly maxKeys?: number;
};

/** Lets a log line through only where it says something else than the last one under its key. */
export class OncePerChange {
  readonly #last = new Map<string, { readonly value: string; readonly until: number }>();
  readonly #repeatMs: number;
  readonly #now: () => number;
  readonly #maxKeys: number;

  constructor(options: OncePerChangeOptions = {}) {
    this.#repeatMs = options.repeatMs ?? Number.POSITIVE_INFINITY;
    this.#now = options.now ?? (() => 0);
    this.#maxKeys = options.maxKeys ?? LIMITS.log.remembered.max;
  }

  /** Whether `value` differs from the last one under `key`; remembers it then. */
  isNew(value: string, key = ''): boolean {
    const last = this.#last.get(key);
    if (last?.value === value && this.#now() < last.until) return false;
    if (this.#last.size >= this.#maxKeys && last === undefined) this.#last.clear();
    this.#last.set(key, { value, until: this.#now() + this.#repeatMs });
    return true;
  }

  /** Forgets a key, so that its next value is new; returns whether there was one. */
  forget(key: string): boolean {
    return this.#last.delete(key);
  }

  /** Forgets all keys but those that `keep` accepts; returns the forgotten ones. */
  retain(keep: (key: string) => boolean): readonly string[] {
    const gone = [...this.#last.keys()].filter((key) => !keep(key));
    for (const key of gone) this.#last.delete(key);
    return gone;
  }
}
