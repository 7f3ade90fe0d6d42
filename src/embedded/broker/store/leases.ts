/** When each instance was last seen, in milliseconds of a monotonic clock, and so which leases have expired. */
export class Leases {
  /** How long an instance may be silent; undefined: no leases. */
  readonly seconds: number | undefined;
  readonly #seenAt = new Map<string, number>();
  /** No lease can expire before. */
  #nextExpiry = 0;

  constructor(seconds: number | undefined) {
    this.seconds = seconds;
  }

  seen(instance: string, now: number): void {
    this.#seenAt.set(instance, now);
  }

  forget(instance: string): void {
    this.#seenAt.delete(instance);
  }

  /** The holders whose lease has expired. Cheap enough for every request. */
  expired(holders: () => Iterable<string>, now: number): readonly string[] {
    if (this.seconds === undefined || now < this.#nextExpiry) return [];
    const lease = this.seconds * 1000;
    const expired: string[] = [];
    this.#nextExpiry = now + lease;
    for (const holder of holders()) {
      const end = (this.#seenAt.get(holder) ?? now) + lease;
      if (end <= now) expired.push(holder);
      else this.#nextExpiry = Math.min(this.#nextExpiry, end);
    }
    return expired;
  }
}
