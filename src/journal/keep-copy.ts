import { constants, copyFileSync, existsSync, statSync } from 'node:fs';

/**
 * Copies a journal that this agent cannot use, with its write-ahead log, so that no attempt to hint it can lose what
 * is in it. The copy is named by `kind` and by the time of the last write, so a daemon that is started again and
 * again makes it once. Answers a sentence about it for people.
 *
 * Not for a journal that goes on being used by this process: closing the copied file drops SQLite's locks on it.
 */
export function keepCopy(file: string, kind: 'damaged' | 'newer'): string {
  try {
    const stamp = statSync(file).mtime.toISOString().replaceAll(':', '-');
    const copy = `${file}.${kind}-${stamp}`;
    copyOnce(file, copy);
    if (existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0) copyOnce(`${file}-wal`, `${copy}-wal`);
    return `A copy is kept as ${copy}.`;
  } catch (cause) {
    return `No copy of it could be made: ${cause instanceof Error ? cause.message : String(cause)}.`;
  }
}

function copyOnce(from: string, to: string): void {
  if (!existsSync(to)) copyFileSync(from, to, constants.COPYFILE_EXCL);
}
