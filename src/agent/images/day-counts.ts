import type { ImageDay, ImageWins } from '../../domain/ports/image-records.ts';
import { LIMITS } from '../../limits.ts';

/** While the disk refuses them, the counts of older days are forgotten. */
const MAX_DAYS = 2;

type Counts = { -readonly [Key in keyof ImageDay]: ImageDay[Key] };

/**
 * Counts by image and day that are not on disk yet. A broker may have any number of images, so those of a day with the fewest
 * wins, tries and runs are forgotten where there are too many.
 */
export class DayCounts {
  readonly #days = new Map<number, Map<string, Counts>>();

  add(day: number, ref: string, more: Partial<Omit<ImageDay, 'day' | 'ref'>>): void {
    const counts = this.#of(day, ref);
    counts.wanted += more.wanted ?? 0;
    counts.tries += more.tries ?? 0;
    counts.wins += more.wins ?? 0;
    counts.earnedMicroDollars += more.earnedMicroDollars ?? 0;
    counts.usedAt = more.usedAt ?? counts.usedAt;
  }

  /** How many images of days there are. */
  get size(): number {
    return [...this.#days.values()].reduce((sum, day) => sum + day.size, 0);
  }

  get days(): readonly number[] {
    return [...this.#days.keys()];
  }

  /** Of one image. */
  of(ref: string): readonly ImageDay[] {
    return [...this.#days.values()].flatMap((day) => day.get(ref) ?? []);
  }

  /** At most `limit` of them. */
  first(limit: number): readonly ImageDay[] {
    const found: ImageDay[] = [];
    for (const day of this.#days.values())
      for (const counts of day.values()) {
        if (found.length >= limit) return found;
        found.push(counts);
      }
    return found;
  }

  /** Forgets what is on disk now. */
  forget(saved: readonly ImageDay[]): void {
    for (const { day, ref } of saved) {
      const left = this.#days.get(day);
      left?.delete(ref);
      if (left?.size === 0) this.#days.delete(day);
    }
  }

  /** Adds the wins of all images to others. */
  winsWith({ earnedMicroDollars, wins }: ImageWins): ImageWins {
    const sum = { wins, earnedMicroDollars };
    for (const day of this.#days.values())
      for (const counts of day.values()) {
        sum.wins += counts.wins;
        sum.earnedMicroDollars += counts.earnedMicroDollars;
      }
    return sum;
  }

  #of(day: number, ref: string): Counts {
    const images = this.#days.get(day) ?? new Map<string, Counts>();
    this.#days.set(day, images);
    const [oldest] = this.#days.keys();
    if (this.#days.size > MAX_DAYS && oldest !== undefined) this.#days.delete(oldest);
    let counts = images.get(ref);
    if (counts === undefined) {
      if (images.size >= 2 * LIMITS.journal.imagesOfDay.max) forgetLeast(images);
      counts = { ref, day, wanted: 0, tries: 0, wins: 0, earnedMicroDollars: 0, usedAt: undefined };
      images.set(ref, counts);
    }
    return counts;
  }
}

/** Forgets half of a day at once, so that each image costs little. */
function forgetLeast(images: Map<string, Counts>): void {
  const least = [...images.values()].toSorted(
    (a, b) => a.wins - b.wins || a.tries - b.tries || a.wanted - b.wanted,
  );
  for (const { ref } of least.slice(0, images.size - LIMITS.journal.imagesOfDay.max)) images.delete(ref);
}
