import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';

/** What is left of a file system. */
export type DiskRoom = {
  /** The bytes that an ordinary user may still write. */
  readonly bytes: number;
  /** The part of all files that it can hold which may still be made, 0 to 1; 1 where there is no such limit. */
  readonly files: number;
};

/**
 * What is left of the file system of `path`, or, where there is no such path, of the one that it would be made on: to
 * an agent in a container the engine's directory is such a one, and its own root lies on the engine's disk.
 * undefined where nobody can tell.
 */
export function diskRoom(path: string): DiskRoom | undefined {
  try {
    const { bavail, bsize, ffree, files } = statfsSync(path);
    return { bytes: bavail * bsize, files: files > 0 ? ffree / files : 1 };
  } catch (cause) {
    const absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    return absent && dirname(path) !== path ? diskRoom(dirname(path)) : undefined;
  }
}

/** The bytes that an ordinary user may still write to the file system of `path`; undefined where nobody can tell. */
export function freeDiskBytes(path: string): number | undefined {
  return diskRoom(path)?.bytes;
}
