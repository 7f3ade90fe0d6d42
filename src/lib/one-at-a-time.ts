/** Lets one holder after the other have a turn, in the order in which they came. */
export class OneAtATime {
  #last: Promise<void> = Promise.resolve();

  /** Settles with the turn once all earlier ones have ended; dispose of it to end it. */
  async turn(): Promise<Disposable> {
    const ended = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = ended.promise;
    await before;
    return { [Symbol.dispose]: () => ended.resolve() };
  }
}
