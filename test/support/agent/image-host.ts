import { parseImageRef } from '../../../src/domain/image-ref.ts';
import type { DiskUse } from '../../../src/domain/ports/host.ts';
import type { ImagePin, OwnPull } from '../../../src/domain/ports/image-records.ts';
import type { ImageStore, Images, ReadyImage, StoredImage } from '../../../src/domain/ports/runtime.ts';

/** An image of an ImageHost; `bytes` of a layer of its own. */
type Kept = { readonly bytes: number; readonly names: readonly string[]; hasContainer: boolean };

/** The engine of a test with its images and their disk, as large as the test likes; no bytes are moved. */
export class ImageHost {
  /** By id. */
  readonly kept = new Map<string, Kept>();
  /** What else is on the disk. */
  otherBytes = 0;
  readonly totalBytes: number;
  /** The ids of what was removed, in order. */
  readonly removed: string[] = [];
  /** The id of an image that is not removed, for a reason of the engine's own. */
  refused: string | undefined;
  /** Called when a removal begins, which goes on once it has settled. */
  onRemove: (id: string) => Promise<void> | void = () => undefined;
  /** Called when the images have been listed. */
  onList: () => Promise<void> | void = () => undefined;
  /** The sizes of what can be pulled. */
  readonly registry = new Map<string, number>();

  constructor(totalBytes = 1000) {
    this.totalBytes = totalBytes;
  }

  add(name: string, bytes: number): void {
    const digest = `${parseImageRef(name)?.repository}@sha256:${'d'.repeat(64)}`;
    this.kept.set(idOf(name), { bytes, names: [name, digest], hasContainer: false });
  }

  disk(): DiskUse {
    const used = [...this.kept.values()].reduce((sum, { bytes }) => sum + bytes, this.otherBytes);
    return { freeBytes: Math.max(this.totalBytes - used, 0), totalBytes: this.totalBytes };
  }

  readonly store: ImageStore = {
    list: async () => {
      const stored = [...this.kept].map(([id, { bytes, hasContainer, names }]) => ({
        id,
        names,
        layers: [{ digest: `layer of ${id}`, bytes }],
        hasContainer,
      }));
      await this.onList();
      return stored;
    },
    remove: async ({ id }: StoredImage) => {
      await this.onRemove(id);
      const kept = this.kept.get(id);
      if (kept === undefined) return 'absent';
      if (kept.hasContainer || this.refused === id) return 'in-use';
      this.kept.delete(id);
      this.removed.push(id);
      return 'removed';
    },
  };

  readonly images: Images = {
    find: (ref) => Promise.resolve(this.kept.has(idOf(ref)) ? readyImage(ref) : undefined),
    prepare: (ref) => {
      const isNew = !this.kept.has(idOf(ref));
      if (isNew) this.add(ref, this.registry.get(ref) ?? 100);
      return Promise.resolve({ ...readyImage(ref), ...(isNew && { broughtId: idOf(ref) }) });
    },
  };
}

/** The engine's id of an image of an ImageHost. */
export function idOf(ref: string): string {
  return `id of ${ref}`;
}

function readyImage(ref: string): ReadyImage {
  return { ref, id: idOf(ref), sizeBytes: 1 };
}

/** The pulls and pins of a test, in memory. */
export class MemoryImageRecords {
  readonly own: OwnPull[] = [];
  readonly #pins = new Map<string, ImagePin>();

  pulls(engine: string): readonly OwnPull[] {
    return this.own.filter((pull) => pull.engine === engine);
  }

  addPull(pull: OwnPull): void {
    this.own.push(pull);
  }

  removed(engine: string, imageId: string, at: number): void {
    for (const [index, pull] of this.own.entries())
      if (pull.engine === engine && pull.imageId === imageId && pull.removedAt === undefined)
        this.own[index] = { ...pull, removedAt: at };
  }

  pins(): readonly ImagePin[] {
    return [...this.#pins.values()];
  }

  pin(pin: ImagePin): boolean {
    this.#pins.set(pin.ref, pin);
    return true;
  }
}
