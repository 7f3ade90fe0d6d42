import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AgentError } from '../domain/errors.ts';
import { PHASES, type Phase } from '../domain/signals.ts';
import { asStorageError, isBusy } from '../domain/storage-error.ts';
import { ownUid } from '../lib/foreign-access.ts';
import { refuseForeignDirectory, refuseForeignPath, refusePlanted } from './ownership.ts';

/** The state directory, locked by this process until `close`, so that no other agent writes to it. */
export type StateDir = {
  /** The absolute path. */
  readonly path: string;
  /** Writes the phase of this process where other processes find it. Throws STATE_DIR_UNUSABLE. */
  setPhase(phase: Phase): void;
  close(): void;
};

/** The locked file; only SQLite may open it. */
export const LOCK_FILE = 'lock';
const PID_FILE = 'lock.pid';

/** How long to wait for the lock, because `findAgent` takes it for a moment. */
const LOCK_WAIT_MS = 250;

/**
 * Creates the state directory if it is missing (mode 0700), writes to it and locks it. Throws STATE_DIR_UNUSABLE, also
 * for one that another user than `uid` could change, or STATE_DIR_IN_USE. The lock is SQLite's on an empty file, so the kernel releases it when the process ends in any way.
 * Nothing else may open that file, because closing any handle to it drops the lock.
 */
export function openStateDir(directory: string, uid: number = ownUid()): StateDir {
  const path = resolve(directory);
  const pidFile = join(path, PID_FILE);
  try {
    refuseForeignPath(path, uid);
    makeDirectory(path);
    refuseForeignDirectory(path, uid);
    refusePlanted(path, uid);
    const lock = takeLock(join(path, LOCK_FILE), pidFile);
    try {
      writePid(pidFile);
    } catch (cause) {
      lock.close();
      throw cause;
    }
    return {
      path,
      setPhase: (phase) => {
        try {
          writePid(pidFile, phase);
        } catch (cause) {
          throw asStorageError(cause, pidFile);
        }
      },
      close: () => {
        removeIfPossible(pidFile);
        lock.close();
      },
    };
  } catch (cause) {
    throw asStorageError(cause, path);
  }
}

/** On a read-only disk the file stays with an old pid, which does no harm because the lock decides. */
function removeIfPossible(pidFile: string): void {
  try {
    rmSync(pidFile, { force: true });
  } catch {
    // Nothing depends on it.
  }
}

/** Renamed when complete, so that no reader finds half of it. */
function writePid(pidFile: string, phase: Phase | '' = ''): void {
  const draft = `${pidFile}.new`;
  // Never through what is there, be it a pipe or a link.
  rmSync(draft, { force: true });
  writeFileSync(draft, `${process.pid}\n${phase}\n`, { mode: 0o600, flag: 'wx' });
  renameSync(draft, pidFile);
}

/** Level by level, because the recursive mkdir of Node.js never returns on file systems such as /proc. */
function makeDirectory(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) throw notADirectory(path);
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    // Another agent may have created it at the same time.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw cause;
  }
}

/** The error for a file in place of the state directory or one above it. */
export function notADirectory(path: string): AgentError {
  return new AgentError('STATE_DIR_UNUSABLE', `${path} is a file, not a directory`, {
    hint: 'name a directory with --state-dir',
  });
}

function takeLock(file: string, pidFile: string): DatabaseSync {
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found?.isFile() === false)
    throw new AgentError('STATE_DIR_UNUSABLE', `${file} is not a regular file`, {
      hint: `remove it: rm ${file}`,
    });
  const lock = new DatabaseSync(file, { timeout: LOCK_WAIT_MS });
  try {
    // A read lock of anybody who may open the file would keep the agent from starting.
    chmodSync(file, 0o600);
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw cause;
    const pid = pidIn(pidFile);
    throw new AgentError(
      'STATE_DIR_IN_USE',
      `another agent${pid === undefined ? '' : ` (process ${pid})`} runs on the state directory ${dirname(file)}`,
      { hint: 'stop that agent, or give this one its own --state-dir', cause },
    );
  }
}

function pidIn(pidFile: string): number | undefined {
  try {
    return readHolder(pidFile).pid;
  } catch {
    return undefined;
  }
}

/** The process and phase that the last agent on a state directory has written. */
export type LockHolder = { readonly pid: number | undefined; readonly phase: Phase };

/** Reads the last agent on a state directory, whether or not it still runs. Throws if it cannot be read. */
export function readLockHolder(directory: string): LockHolder {
  return readHolder(join(directory, PID_FILE));
}

function readHolder(pidFile: string): LockHolder {
  const [first = '', second = ''] = readFileSync(pidFile, 'utf8').split('\n');
  const pid = Number.parseInt(first, 10);
  return {
    pid: Number.isNaN(pid) ? undefined : pid,
    phase: PHASES.find((name) => name === second) ?? 'working',
  };
}
