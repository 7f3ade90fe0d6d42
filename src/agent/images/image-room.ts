import type { DiskUse } from '../../domain/ports/host.ts';

/** What the owner has decided for the disk of images. */
export type ImageDiskRules = {
  /** How full the file system of a path is; undefined: not known. */
  readonly use: (path: string) => DiskUse | undefined;
  /** The marks between which images are evicted, as parts of the disk. */
  readonly high: number;
  readonly low: number;
  readonly prefetch: boolean;
  /** What pulling a byte costs, in micro-dollars. */
  readonly costPerByte: number;
  /** Where the engine's pulls ask for room. */
  readonly room: ImageRoom;
};

/** What makes room on the disk of images. */
type RoomMaker = {
  /** As of `ImageEvictor`. */
  makeRoom(pendingBytes: number): Promise<void>;
  soon(): void;
};

/** Where pulls and claims ask for room on the disk of images; the engine is opened before there is anybody to make it. */
export class ImageRoom {
  #maker: RoomMaker | undefined;

  /** From now on this makes the room. */
  use(maker: RoomMaker): void {
    this.#maker = maker;
  }

  /** Settles once there is as much room for pulls of so many bytes as can be made. Never throws. */
  async make(pendingBytes: number): Promise<void> {
    await this.#maker?.makeRoom(pendingBytes);
  }

  /** Asks for room where the disk is too full, without waiting for it. */
  soon(): undefined {
    this.#maker?.soon();
  }
}
