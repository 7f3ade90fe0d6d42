/** A share of a budget, until it is disposed of. */
export type Share = Disposable & {
  /** It takes so many bytes after all; more than are free only keep others waiting. */
  resize(bytes: number): void;
};

/** Shares a number of bytes out, in the order in which they are asked for. */
export class ByteBudget {
  readonly #max: number;
  readonly #waiting: { readonly bytes: number; readonly begin: () => void }[] = [];
  #used = 0;
  #shares = 0;

  constructor(max: number) {
    this.#max = max;
  }

  /**
   * Settles with a share of so many bytes once they are free, or nobody has any: what is larger than the budget is taken
   * alone. Undefined: the signal aborted first.
   */
  async take(bytes: number, signal: AbortSignal): Promise<Share | undefined> {
    if (signal.aborted) return undefined;
    if (this.#waiting.length === 0 && this.#fits(bytes)) this.#add(bytes);
    else if (!(await this.#turn(bytes, signal))) return undefined;
    return this.#share(bytes);
  }

  /** Waits for the turn, and answers whether it has come. Leaves at once on an abort, so that no turn goes to nobody. */
  #turn(bytes: number, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const leave = (): void => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1);
        resolve(false);
        this.#next();
      };
      const begin = (): void => {
        signal.removeEventListener('abort', leave);
        resolve(true);
      };
      const waiter = { bytes, begin };
      this.#waiting.push(waiter);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #share(taken: number): Share {
    let bytes = taken;
    let isOver = false;
    return {
      resize: (size) => {
        if (isOver) return;
        this.#used += size - bytes;
        bytes = size;
        this.#next();
      },
      [Symbol.dispose]: () => {
        if (isOver) return;
        isOver = true;
        this.#used -= bytes;
        this.#shares -= 1;
        this.#next();
      },
    };
  }

  #fits(bytes: number): boolean {
    return this.#shares === 0 || this.#used + bytes <= this.#max;
  }

  #add(bytes: number): void {
    this.#used += bytes;
    this.#shares += 1;
  }

  /** Those that wait begin as far as they fit; none overtakes another. */
  #next(): void {
    for (
      let first = this.#waiting[0];
      first !== undefined && this.#fits(first.bytes);
      [first] = this.#waiting
    ) {
      this.#waiting.shift();
      this.#add(first.bytes);
      first.begin();
    }
  }
}
