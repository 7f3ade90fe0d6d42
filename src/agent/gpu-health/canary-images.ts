import type { CanaryImage } from './canary.ts';

/** So many images are kept in mind per GPU. */
const MOST = 4;

/** Which images a GPU can be tried with: those of the jobs that failed on it, then one that worked anywhere. */
export class CanaryImages {
  readonly #jobs = new Map<string, CanaryImage>();
  readonly #failed = new Map<string, readonly CanaryImage[]>();
  #worked: CanaryImage | undefined;
  #last: CanaryImage | undefined;

  /** The best first; empty where no job was ever run here since the daemon started. */
  for(uuid: string): readonly CanaryImage[] {
    const images = [...(this.#failed.get(uuid) ?? []), this.#worked, this.#last];
    return withoutTwins(images.filter((image) => image !== undefined));
  }

  /** A job is about to use an image. */
  tried(job: string, image: CanaryImage): void {
    this.#jobs.set(job, image);
    this.#last = image;
  }

  /** A job that ran on a GPU has ended. */
  ended(uuid: string, job: string, well: boolean): void {
    const image = this.#jobs.get(job);
    if (image === undefined) return;
    if (well) this.#worked = image;
    const failed = well ? [] : withoutTwins([image, ...(this.#failed.get(uuid) ?? [])]);
    this.#failed.set(uuid, failed.slice(0, MOST));
  }

  /** A job is over. */
  over(job: string): void {
    this.#jobs.delete(job);
  }
}

function withoutTwins(images: readonly CanaryImage[]): readonly CanaryImage[] {
  return images.filter(
    ({ registryPath }, at) => images.findIndex((other) => other.registryPath === registryPath) === at,
  );
}
