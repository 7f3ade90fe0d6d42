/** The broker decides how many keys there are, so the memory of them is bounded. */
const MAX_KEYS = 10_000;

/** Lets a log line through only where it says something else than the last one under its key. */
export class OncePerChange {
  readonly #last = new Map<string, { readonly value: string; readonly until: number }>();
  readonly #repeatMs: number;
  readonly #now: () => number;

  /** A value counts as new again after `repeatMs` milliseconds of `now`; by default never. */
  constructor(repeatMs = Number.POSITIVE_INFINITY, now = (): number => 0) {
    this.#repeatMs = repeatMs;
    this.#now = now;
  }

  /** Whether `value` differs from the last one under `key`; remembers it then. */
  isNew(value: string, key = ''): boolean {
    const last = this.#last.get(key);
    if (last?.value === value && this.#now() < last.until) return false;
    if (this.#last.size >= MAX_KEYS && last === undefined) this.#last.clear();
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
