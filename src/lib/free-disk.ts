import { statfsSync } from 'node:fs';

/** What is left of a file system. */
export type DiskRoom = {
  /** The bytes that an ordinary user may still write. */
  readonly bytes: number;
  /** The part of all files that it can hold which may still be made, 0 to 1; 1 where there is no such limit. */
  readonly files: number;
};

/** What is left of the file system of `path`; undefined where nobody can tell. */
export function diskRoom(path: string): DiskRoom | undefined {
  try {
    const { bavail, bsize, ffree, files } = statfsSync(path);
    return { bytes: bavail * bsize, files: files > 0 ? ffree / files : 1 };
  } catch {
    return undefined;
  }
}

/** The bytes that an ordinary user may still write to the file system of `path`; undefined where nobody can tell. */
export function freeDiskBytes(path: string): number | undefined {
  return diskRoom(path)?.bytes;
}
