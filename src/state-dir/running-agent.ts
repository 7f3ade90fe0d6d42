import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { asStorageError, isBusy } from '../journal/sqlite-failure.ts';
import { type HolderNote, LOCK_FILE, readHolderNote } from './state-dir.ts';

/** Who holds a state directory, as told from outside. */
export type RunningAgent =
  | { readonly kind: 'none' }
  /** `doing` is the word that it has left by `StateDir.note`; undefined: none. */
  | { readonly kind: 'here'; readonly pid: number; readonly doing: string | undefined }
  /** Somebody holds it, but which process that is cannot be told from here: it has just begun, or is another user's. */
  | { readonly kind: 'hidden'; readonly pid: number | undefined };

/**
 * Finds the agent that runs on a state directory, and leaves it undisturbed. Whether one does is the kernel's word,
 * the lock; the process that the directory names is believed only if it has the locked file open, so that a number
 * left by a crash, or in use by another program since, is nobody. Throws STATE_DIR_UNUSABLE.
 */
export function findAgent(directory: string): RunningAgent {
  const path = resolve(directory);
  const lock = join(path, LOCK_FILE);
  if (!isLocked(lock)) return { kind: 'none' };
  const { doing, pid } = noteIn(path);
  return pid !== undefined && hasOpen(pid, lock) ? { kind: 'here', pid, doing } : { kind: 'hidden', pid };
}

/** Reading takes a lock as well, one that the agent's own excludes. */
function isLocked(file: string): boolean {
  try {
    if (statSync(file, { throwIfNoEntry: false }) === undefined) return false;
    const probe = new DatabaseSync(file, { readOnly: true, timeout: 0 });
    try {
      probe.prepare('SELECT count(*) FROM sqlite_schema').get();
      return false;
    } catch (cause) {
      if (isBusy(cause)) return true;
      throw cause;
    } finally {
      probe.close();
    }
  } catch (cause) {
    throw asStorageError(cause, file);
  }
}

function noteIn(directory: string): HolderNote {
  try {
    return readHolderNote(directory);
  } catch {
    // Not written yet, or not for our eyes: the caller is told that the holder is hidden.
    return { pid: undefined, doing: undefined };
  }
}

/** Whether the process has the file open, by the kernel's table of its open files. */
function hasOpen(pid: number, file: string): boolean {
  const { dev, ino } = statSync(file);
  const handles = `/proc/${pid}/fd`;
  try {
    return readdirSync(handles).some((handle) => {
      const open = statSync(join(handles, handle), { throwIfNoEntry: false });
      return open?.dev === dev && open.ino === ino;
    });
  } catch {
    // No such process here, or another user's.
    return false;
  }
}
