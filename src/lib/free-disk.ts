import { statfsSync } from 'node:fs';

/** The bytes that an ordinary user may still write to the file system of `path`; undefined where nobody can tell. */
export function freeDiskBytes(path: string): number | undefined {
  try {
    const { bavail, bsize } = statfsSync(path);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}
