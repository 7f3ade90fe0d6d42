/** The broker decides how many keys there are, so the memory of them is bounded. */
const MAX_KEYS = 10_000;

/** Lets a log line through only where it says something else than the last one under its key. */
export class OncePerChange {
  readonly #last = new Map<string, string>();

  /** Whether `value` differs from the last one under `key`, and remembers it. */
  isNew(value: string, key = ''): boolean {
    if (this.#last.get(key) === value) return false;
    if (this.#last.size >= MAX_KEYS && !this.#last.has(key)) this.#last.clear();
    this.#last.set(key, value);
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
