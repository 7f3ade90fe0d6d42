import { SeededRandom } from '../../src/lib/seeded-random.ts';

/** A ratio, and between what it lies with 95 % confidence. */
export type Interval = { readonly ratio: number; readonly low: number; readonly high: number };

const DRAWS = 2_000;

/**
 * The ratio of two sums over the same markets, with the interval that drawing the markets again and again gives. The same
 * figures give the same interval. Pure.
 */
export function bootstrap(ours: readonly number[], theirs: readonly number[]): Interval {
  const random = new SeededRandom(95);
  const ratios = Array.from({ length: DRAWS }, () => {
    let [above, below] = [0, 0];
    for (const _ of ours) {
      const index = Math.floor(random.next() * ours.length);
      above += ours[index] ?? 0;
      below += theirs[index] ?? 0;
    }
    return above / below;
  }).toSorted((a, b) => a - b);
  const at = (part: number): number => ratios[Math.floor(part * (DRAWS - 1))] ?? Number.NaN;
  return { ratio: sum(ours) / sum(theirs), low: at(0.025), high: at(0.975) };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
