import { unlessAborted } from '../../lib/deadline.ts';

type Entry = { state: 'asked' | 'waiting' | 'admitted'; readonly turn: PromiseWithResolvers<void> };

export type PullQueueDeps = {
  /** How many pulls go on at once. */
  readonly limit: number;
  /** An image's place among those that wait, by how soon its runs would be taken: the lowest is next. */
  readonly rank: (ref: string) => number;
  /** Called when an image has to wait. */
  readonly onWaiting: () => void;
};

/** Lets a few pulls go on at a time; the best of those that wait goes next, whenever it came. */
export class PullQueue {
  readonly #deps: PullQueueDeps;
  readonly #entries = new Map<string, Entry>();

  constructor(deps: PullQueueDeps) {
    this.#deps = deps;
  }

  /** Whether an image that is not here waits for its turn. */
  isWaiting(ref: string): boolean {
    return this.#entries.get(ref)?.state === 'waiting';
  }

  /** Whether a pull of this image goes on. */
  isAdmitted(ref: string): boolean {
    return this.#entries.get(ref)?.state === 'admitted';
  }

  /**
   * Waits until an image may be pulled, and keeps its place until it is disposed. An image that `isHere` needs none, so it
   * never waits for the pulls of others. Throws what `isHere` throws, or the signal's reason.
   */
  async enter(ref: string, isHere: () => Promise<boolean>, signal: AbortSignal): Promise<Disposable> {
    const entry: Entry = { state: 'asked', turn: Promise.withResolvers() };
    using entered = new DisposableStack();
    this.#entries.set(ref, entry);
    entered.defer(() => {
      this.#entries.delete(ref);
      this.#admit();
    });
    if (await isHere()) return { [Symbol.dispose]: () => undefined };
    signal.throwIfAborted();
    entry.state = 'waiting';
    this.#admit();
    if (!this.isAdmitted(ref)) this.#deps.onWaiting();
    await unlessAborted(entry.turn.promise, signal);
    return entered.move();
  }

  /** An image whose answer is awaited keeps room for itself: otherwise the fastest answer would go first. */
  #admit(): void {
    const { limit, rank } = this.#deps;
    const entries = [...this.#entries];
    const outside = entries.filter(([, { state }]) => state !== 'admitted');
    const room = Math.max(limit - (entries.length - outside.length), 0);
    for (const [, entry] of outside.toSorted(([a], [b]) => rank(a) - rank(b)).slice(0, room)) {
      if (entry.state !== 'waiting') continue;
      entry.state = 'admitted';
      entry.turn.resolve();
    }
  }
}
