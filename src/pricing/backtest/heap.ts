/** A binary heap of whole numbers, the lowest first; of a fixed size, because a replay fills it very often. */
export class IntHeap {
  readonly #items: Int32Array;
  #size = 0;

  constructor(capacity: number) {
    this.#items = new Int32Array(capacity);
  }

  clear(): void {
    this.#size = 0;
  }

  push(value: number): void {
    const items = this.#items;
    let at = this.#size++;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = items[above] ?? 0;
      if (other <= value) break;
      items[at] = other;
      at = above;
    }
    items[at] = value;
  }

  /** -1: it is empty. */
  peek(): number {
    return this.#size === 0 ? -1 : (this.#items[0] ?? -1);
  }

  /** Removes the lowest. */
  pop(): void {
    if (this.#size === 0) return;
    const items = this.#items;
    const size = --this.#size;
    const value = items[size] ?? 0;
    let at = 0;
    for (;;) {
      let below = 2 * at + 1;
      if (below >= size) break;
      if (below + 1 < size && (items[below + 1] ?? 0) < (items[below] ?? 0)) below += 1;
      const other = items[below] ?? 0;
      if (other >= value) break;
      items[at] = other;
      at = below;
    }
    items[at] = value;
  }
}
