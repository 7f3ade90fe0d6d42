import { constants, copyFileSync, existsSync, statSync } from 'node:fs';

/**
 * Copies a damaged journal and its write-ahead log, so that no attempt to mend it can lose what is left. The copy
 * is named by the time of the last write, so a daemon that is started again and again makes it once.
 * Answers a sentence about it for people.
 */
export function keepCopy(file: string): string {
  try {
    const stamp = statSync(file).mtime.toISOString().replaceAll(':', '-');
    const copy = `${file}.damaged-${stamp}`;
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
