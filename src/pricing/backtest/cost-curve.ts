const HOUR_MS = 3_600_000;

/** What a minute of work costs in power and wear at an instant, in US dollars; undefined: not known. */
export type CostPerMinute = (at: number) => number | undefined;

/** What work costs over any stretch of a time, hour by hour. */
export class CostCurve {
  readonly #from: number;
  /** US dollars per minute, by hour since `#from`. */
  readonly #perMinute: readonly number[];
  /** US dollars of a slot that works from `#from` to the beginning of each hour. */
  readonly #before: readonly number[];

  private constructor(from: number, perMinute: readonly number[]) {
    this.#from = from;
    this.#perMinute = perMinute;
    let sum = 0;
    this.#before = perMinute.map((dollars) => {
      const before = sum;
      sum += dollars * 60;
      return before;
    });
  }

  /** Hours whose cost is not known cost as much as the others in the mean; undefined: none is known. */
  static of(perMinute: CostPerMinute, from: number, until: number): CostCurve | undefined {
    const hours = Math.max(1, Math.ceil((until - from) / HOUR_MS));
    const found = Array.from({ length: hours }, (_, hour) => perMinute(from + hour * HOUR_MS));
    const known = found.filter((dollars) => dollars !== undefined);
    if (known.length === 0) return undefined;
    const mean = known.reduce((sum, dollars) => sum + dollars, 0) / known.length;
    return new CostCurve(
      from,
      found.map((dollars) => dollars ?? mean),
    );
  }

  /** US dollars for work from one instant to another. */
  between(from: number, until: number): number {
    return this.#upTo(until) - this.#upTo(from);
  }

  #upTo(at: number): number {
    const hours = Math.max(0, (at - this.#from) / HOUR_MS);
    const hour = Math.min(Math.floor(hours), this.#perMinute.length - 1);
    return (this.#before[hour] ?? 0) + (this.#perMinute[hour] ?? 0) * (hours - hour) * 60;
  }
}
