import { stat, statfs } from 'node:fs/promises';
import { nearestDirectory } from '../../state-dir/inspection.ts';

/** DiskSpace on one file system, in bytes. `path` is what it was asked for. */
export type DiskSpace = { readonly path: string; readonly sizeBytes: number; readonly freeBytes: number };

/** The file systems that hold these paths, or will once they are made; each once, under the first of its paths. */
export async function diskSpaces(paths: readonly string[]): Promise<readonly DiskSpace[]> {
  const diskSpaces = new Map<number, DiskSpace>();
  for (const path of paths) {
    const there = await nearestDirectory(path);
    const { dev } = await stat(there);
    const { bavail, blocks, bsize } = await statfs(there);
    if (!diskSpaces.has(dev))
      diskSpaces.set(dev, { path, sizeBytes: blocks * bsize, freeBytes: bavail * bsize });
  }
  return [...diskSpaces.values()];
}
