import { SeededRandom } from '../../../src/lib/seeded-random.ts';

/** Random choices that a seed repeats. */
export class Dice extends SeededRandom {
  chance(probability: number): boolean {
    return this.next() < probability;
  }

  /** Whole, from `least` to `most`. */
  whole(least: number, most: number): number {
    return Math.floor(this.between(least, most + 1));
  }

  /** Whole, each order of magnitude as likely as any other. */
  size(least: number, most: number): number {
    return Math.round(Math.exp(this.between(Math.log(least), Math.log(most))));
  }
}
