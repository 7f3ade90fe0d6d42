import { SeededRandom } from '../../../src/lib/seeded-random.ts';

/** Random choices that a seed repeats. */
export class Dice extends SeededRandom {
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Whole, from `min` to `max`. */
  whole(min: number, max: number): number {
    return Math.floor(this.between(min, max + 1));
  }

  /** Whole, each order of magnitude as likely as any other. */
  size(min: number, max: number): number {
    return Math.round(Math.exp(this.between(Math.log(min), Math.log(max))));
  }
}
