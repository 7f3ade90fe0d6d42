import type { CanaryImage } from './canary.ts';

/** How many images are remembered per GPU. */
const MAX_IMAGES = 4;

/** The images for canaries on a GPU: those of jobs that failed on it, then one that worked anywhere. */
export class CanaryImages {
  readonly #jobs = new Map<string, CanaryImage>();
  readonly #failed = new Map<string, readonly CanaryImage[]>();
  #worked: CanaryImage | undefined;
  #last: CanaryImage | undefined;

  /** The best first; empty where the daemon has run no job yet. */
  for(uuid: string): readonly CanaryImage[] {
    const images = [...(this.#failed.get(uuid) ?? []), this.#worked, this.#last];
    return withoutDuplicates(images.filter((image) => image !== undefined));
  }

  /** A job is about to use an image. */
  tried(job: string, image: CanaryImage): void {
    this.#jobs.set(job, image);
    this.#last = image;
  }

  /** A job that ran on a GPU has ended. */
  ended(uuid: string, job: string, succeeded: boolean): void {
    const image = this.#jobs.get(job);
    if (image === undefined) return;
    if (succeeded) this.#worked = image;
    const failed = succeeded ? [] : withoutDuplicates([image, ...(this.#failed.get(uuid) ?? [])]);
    this.#failed.set(uuid, failed.slice(0, MAX_IMAGES));
  }

  /** A job is over. */
  over(job: string): void {
    this.#jobs.delete(job);
  }
}

function withoutDuplicates(images: readonly CanaryImage[]): readonly CanaryImage[] {
  return images.filter(
    ({ registryPath }, at) => images.findIndex((other) => other.registryPath === registryPath) === at,
  );
}
