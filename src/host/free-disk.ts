import { statfsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskRoom } from '../domain/ports/host.ts';

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

/** A file system; `path` is what was asked for. */
export type FileSystem = { readonly path: string; readonly sizeBytes: number; readonly freeBytes: number };

/**
 * The file systems of these paths, or of the directories in which absent ones would be created; each file system once.
 * Unlike `df` it does not wait for other mounts. Throws what the system reports.
 */
export async function fileSystems(paths: readonly string[]): Promise<readonly FileSystem[]> {
  const found = new Map<number, FileSystem>();
  for (const path of paths) {
    const nearest = await nearestExisting(path);
    const { dev } = await stat(nearest);
    const { bavail, blocks, bsize } = await statfs(nearest);
    if (!found.has(dev)) found.set(dev, { path, sizeBytes: blocks * bsize, freeBytes: bavail * bsize });
  }
  return [...found.values()];
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await stat(path);
    return path;
  } catch (cause) {
    const absent =
      cause instanceof Error && 'code' in cause && ['ENOENT', 'ENOTDIR'].includes(String(cause.code));
    if (!absent || dirname(path) === path) throw cause;
    return nearestExisting(dirname(path));
  }
}
