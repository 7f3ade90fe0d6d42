/**
 * When each instance was last seen, on a clock that never jumps (milliseconds), and so whose lease has ended.
 * Without a lease nothing ever ends.
 */
export class Leases {
  /** How long an instance may be silent; undefined: for ever. */
  readonly seconds: number | undefined;
  readonly #seenAt = new Map<string, number>();
  /** Nobody's lease can end before: whoever was seen since the last look has a later end than this. */
  #nextLook = 0;

  constructor(seconds: number | undefined) {
    this.seconds = seconds;
  }

  seen(instance: string, now: number): void {
    this.#seenAt.set(instance, now);
  }

  forget(instance: string): void {
    this.#seenAt.delete(instance);
  }

  /** Those of the holders whose lease has ended. Cheap to ask at every request. */
  lapsed(holders: () => Iterable<string>, now: number): readonly string[] {
    if (this.seconds === undefined || now < this.#nextLook) return [];
    const lease = this.seconds * 1000;
    const lapsed: string[] = [];
    this.#nextLook = now + lease;
    for (const holder of holders()) {
      const end = (this.#seenAt.get(holder) ?? now) + lease;
      if (end <= now) lapsed.push(holder);
      else this.#nextLook = Math.min(this.#nextLook, end);
    }
    return lapsed;
  }
}
