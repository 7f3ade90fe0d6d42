import { readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Phase } from '../domain/signals.ts';
import { asStorageError, isBusy } from '../domain/storage-error.ts';
import { LOCK_FILE, type LockHolder, readLockHolder } from './state-dir.ts';

/** The agent that runs on a state directory, as seen by another process. */
export type RunningAgent =
  | { readonly kind: 'none' }
  | { readonly kind: 'here'; readonly pid: number; readonly phase: Phase }
  /** The lock is held, but this user cannot tell by which process: it has just started, or is another user's. */
  | { readonly kind: 'hidden'; readonly pid: number | undefined };

/**
 * Finds the agent that runs on a state directory, without disturbing it. The kernel's lock decides whether one runs. The
 * pid in the directory counts only if that process has the locked file open, because a crash may leave a pid that
 * another program gets later. Throws STATE_DIR_UNUSABLE.
 */
export function findAgent(directory: string): RunningAgent {
  const path = resolve(directory);
  const lock = join(path, LOCK_FILE);
  if (!isLocked(lock)) return { kind: 'none' };
  const { phase, pid } = holderOf(path);
  return pid !== undefined && hasOpen(pid, lock) ? { kind: 'here', pid, phase } : { kind: 'hidden', pid };
}

/** Reading takes a shared lock, which the agent's exclusive one prevents. */
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

function holderOf(directory: string): LockHolder {
  try {
    return readLockHolder(directory);
  } catch {
    // Not written yet, or not readable by this user: the agent counts as hidden.
    return { pid: undefined, phase: 'working' };
  }
}

/** Whether the process has the file open, by /proc. */
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
