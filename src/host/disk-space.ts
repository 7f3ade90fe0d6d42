import { type StatsFs, statfsSync } from 'node:fs';
import { stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { DiskSpace, DiskUse } from '../domain/ports/host.ts';
import { measurement } from '../lib/measurement.ts';

/**
 * The free space of the file system at `path`, or at its nearest existing parent: in a container, the agent does not see
 * the engine's directory, but its own root is on the same disk. undefined if it cannot be read.
 * One system call, because the agent calls it before each claim and twice a second; systeminformation runs `df`.
 */
export function diskSpace(path: string): DiskSpace | undefined {
  const stats = statsOf(path);
  return stats && spaceOf(stats);
}

/** How full the file system of `diskSpace` is; undefined if it cannot be read. */
export function diskUse(path: string): DiskUse | undefined {
  const stats = statsOf(path);
  if (stats === undefined) return undefined;
  const { bfree, blocks, bsize } = stats;
  const { freeBytes } = spaceOf(stats);
  return { freeBytes, totalBytes: (blocks - freeOf(bfree, blocks)) * bsize + freeBytes };
}

function statsOf(path: string): StatsFs | undefined {
  try {
    return statfsSync(path);
  } catch (cause) {
    const absent = cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
    return absent && dirname(path) !== path ? statsOf(dirname(path)) : undefined;
  }
}

/** What `statfs` says of a file system. */
type Stats = Pick<StatsFs, 'bavail' | 'blocks' | 'bsize' | 'ffree' | 'files'>;

/**
 * The space in an answer of `statfs`. Pure. A full disk with a reserve has less than none on some file systems, and shows it
 * as a negative number or one above the size: nothing is free.
 */
export function spaceOf({ bavail, blocks, bsize, ffree, files }: Stats): DiskSpace {
  return {
    freeBytes: freeOf(bavail, blocks) * bsize,
    freeInodes: files > 0 ? freeOf(ffree, files) / files : 1,
  };
}

function freeOf(free: number, all: number): number {
  const measured = measurement(free) ?? 0;
  return measured <= all ? measured : 0;
}

/** The free bytes of `diskSpace`. */
export function freeBytes(path: string): number | undefined {
  return diskSpace(path)?.freeBytes;
}

/** The size of a file system. `path` is the requested one. */
export type FileSystem = DiskSpace & { readonly path: string; readonly sizeBytes: number };

/**
 * The file systems of these paths, or of the directories in which absent ones would be created; each file system once.
 * Unlike `df` it does not wait for other mounts. Throws what the system reports.
 */
export async function fileSystems(paths: readonly string[]): Promise<readonly FileSystem[]> {
  const found = new Map<number, FileSystem>();
  for (const path of paths) {
    const nearest = await nearestExisting(path);
    const { dev } = await stat(nearest);
    if (found.has(dev)) continue;
    const space = await statfs(nearest);
    found.set(dev, { path, sizeBytes: space.blocks * space.bsize, ...spaceOf(space) });
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
