import { engineImageName, parseImageRef } from '../../domain/image-ref.ts';
import type { ReadyImage } from '../../domain/ports/runtime.ts';
import { unlessAborted } from '../../lib/deadline.ts';

/** The names by which an engine may know an image, or its own id: any of them stands for the image. */
export type ImageNames = readonly string[];

/** The names that are known of an image that is ready: of its reference, and what its containers are created from. */
export function namesOf({ id, ref }: Pick<ReadyImage, 'id' | 'ref'>): ImageNames {
  return [engineNameOf(ref), id];
}

/** A reference as engines have it among an image's names; text that is no reference stays as it is. */
export function engineNameOf(ref: string): string {
  const parsed = parseImageRef(ref);
  return parsed === undefined ? ref : engineImageName(parsed);
}

/**
 * Which images are needed at this moment, from the decision to use one until nothing needs it any more, and which are being
 * removed. Both exclude each other: the first one has the image.
 */
export class ImageUses {
  /** How many need each name. */
  readonly #held = new Map<string, number>();
  /** Of each name, the removal under way. */
  readonly #going = new Map<string, Promise<void>>();

  /** Keeps an image from removal until it is disposed. One that is being removed has to be waited for: see `removed`. */
  hold(names: ImageNames): Disposable {
    for (const name of names) this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
    let isHeld = true;
    return {
      [Symbol.dispose]: () => {
        if (isHeld) for (const name of names) this.#release(name);
        isHeld = false;
      },
    };
  }

  isHeld(names: ImageNames): boolean {
    return names.some((name) => this.#held.has(name));
  }

  /** Begins a removal, which ends when it is disposed; undefined: something needs the image, or it is being removed. */
  beginRemoval(names: ImageNames): Disposable | undefined {
    if (this.isHeld(names) || names.some((name) => this.#going.has(name))) return undefined;
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const name of names) this.#going.set(name, promise);
    return {
      [Symbol.dispose]: () => {
        for (const name of names) this.#going.delete(name);
        resolve();
      },
    };
  }

  /** Settles once none of these names is being removed. Throws the signal's reason. */
  async removed(names: ImageNames, signal: AbortSignal): Promise<void> {
    for (;;) {
      const [going] = names.flatMap((name) => this.#going.get(name) ?? []);
      if (going === undefined) return;
      await unlessAborted(going, signal);
    }
  }

  #release(name: string): void {
    const left = (this.#held.get(name) ?? 0) - 1;
    if (left > 0) this.#held.set(name, left);
    else this.#held.delete(name);
  }
}
