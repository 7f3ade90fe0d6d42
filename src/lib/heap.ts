/** Items of which the one before all others is known; adding one or taking that one costs the logarithm of their number. */
export class Heap<Item> {
  readonly #isBefore: (a: Item, b: Item) => boolean;
  /** Each is before those at twice its place and one or two more. */
  readonly #items: Item[] = [];

  /** `isBefore` is an order of all items. */
  constructor(isBefore: (a: Item, b: Item) => boolean) {
    this.#isBefore = isBefore;
  }

  add(item: Item): void {
    let at = this.#items.length;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = this.#items[above];
      if (other === undefined || !this.#isBefore(item, other)) break;
      this.#items[at] = other;
      at = above;
    }
    this.#items[at] = item;
  }

  /** Takes out the item that is before all others; undefined: there is none. */
  take(): Item | undefined {
    const [first] = this.#items;
    const last = this.#items.pop();
    if (last !== undefined && this.#items.length > 0) this.#sink(last);
    return first;
  }

  /** Puts an item where the first one was. */
  #sink(item: Item): void {
    let at = 0;
    for (;;) {
      const next = this.#firstBelow(at);
      const other = this.#items[next];
      if (other === undefined || !this.#isBefore(other, item)) break;
      this.#items[at] = other;
      at = next;
    }
    this.#items[at] = item;
  }

  #firstBelow(at: number): number {
    const left = this.#items[2 * at + 1];
    const right = this.#items[2 * at + 2];
    const isRight = left !== undefined && right !== undefined && this.#isBefore(right, left);
    return isRight ? 2 * at + 2 : 2 * at + 1;
  }
}
