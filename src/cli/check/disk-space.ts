import { stat, statfs } from 'node:fs/promises';
import { nearestDirectory } from '../../state-dir/inspection.ts';

/** Room on one file system, in bytes. `path` is what it was asked for. */
export type Room = { readonly path: string; readonly sizeBytes: number; readonly freeBytes: number };

/** The file systems that hold these paths, or will once they are made; each once, under the first of its paths. */
export async function roomsOf(paths: readonly string[]): Promise<readonly Room[]> {
  const rooms = new Map<number, Room>();
  for (const path of paths) {
    const there = await nearestDirectory(path);
    const { dev } = await stat(there);
    const { bavail, blocks, bsize } = await statfs(there);
    if (!rooms.has(dev)) rooms.set(dev, { path, sizeBytes: blocks * bsize, freeBytes: bavail * bsize });
  }
  return [...rooms.values()];
}
