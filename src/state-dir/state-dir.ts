import { mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AgentError } from '../domain/errors.ts';
import { PHASES, type Phase } from '../domain/signals.ts';
import { asStorageError, isBusy } from '../domain/storage-error.ts';

/** The state directory, held by this process until `close`: proof that no other agent writes in it. */
export type StateDir = {
  /** Absolute. */
  readonly path: string;
  /** Writes the phase of this process where other processes find it. Throws STATE_DIR_UNUSABLE. */
  setPhase(phase: Phase): void;
  close(): void;
};

/** The file that is locked; nothing but SQLite may open it. */
export const LOCK_FILE = 'lock';
const PID_FILE = 'lock.pid';

/** A look at the lock from outside takes it for a moment; it is waited for this long, in milliseconds. */
const LOOKED_AT_MS = 250;

/**
 * Makes the state directory where there is none (mode 0700), proves that it can be written, and takes its lock.
 * Throws STATE_DIR_UNUSABLE, or STATE_DIR_IN_USE where another agent holds it.
 *
 * The lock is SQLite's exclusive one on an otherwise empty file, so the kernel gives it back however the process
 * ends. Nothing may open that file for another purpose: closing any handle to it would drop the lock.
 */
export function openStateDir(directory: string): StateDir {
  const path = resolve(directory);
  const pidFile = join(path, PID_FILE);
  try {
    makeDirectory(path);
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

/** On a disk that cannot be written any more it stays, naming a process that is gone: the lock is what counts. */
function removeIfPossible(pidFile: string): void {
  try {
    rmSync(pidFile, { force: true });
  } catch {
    // Nothing can be done about it, and nothing depends on it.
  }
}

/** Under another name first: whoever reads it never finds half of it. */
function writePid(pidFile: string, phase: Phase | '' = ''): void {
  writeFileSync(`${pidFile}.new`, `${process.pid}\n${phase}\n`, { mode: 0o600 });
  renameSync(`${pidFile}.new`, pidFile);
}

/** Level by level: Node's own way never ends where a file system says «no such directory» of every new one, as /proc. */
function makeDirectory(path: string): void {
  const found = statSync(path, { throwIfNoEntry: false });
  if (found?.isDirectory()) return;
  if (found !== undefined) throw notADirectory(path);
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    // Another agent that starts at the same time may have been faster.
    if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw cause;
  }
}

/** The error for a path that holds something else where the state directory, or one above it, should be. */
export function notADirectory(path: string): AgentError {
  return new AgentError('STATE_DIR_UNUSABLE', `${path} is a file, not a directory`, {
    hint: 'name a directory by --state-dir',
  });
}

function takeLock(file: string, pidFile: string): DatabaseSync {
  const lock = new DatabaseSync(file, { timeout: LOOKED_AT_MS });
  try {
    lock.exec('BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    if (!isBusy(cause)) throw cause;
    const holder = readHolder(pidFile);
    throw new AgentError(
      'STATE_DIR_IN_USE',
      `another agent${holder === undefined ? '' : ` (process ${holder})`} runs on the state directory ${dirname(file)}`,
      { hint: 'Stop that agent first, or give this one a --state-dir of its own.', cause },
    );
  }
}

/** The process that holds the lock, where it has written that down already. */
function readHolder(pidFile: string): number | undefined {
  try {
    return readNote(pidFile).pid;
  } catch {
    return undefined;
  }
}

/** What the last agent on a state directory has written of itself. */
export type HolderNote = { readonly pid: number | undefined; readonly phase: Phase };

/** Reads the note of the last agent on a state directory, whether or not it still runs. Throws if it cannot be read. */
export function readHolderNote(directory: string): HolderNote {
  return readNote(join(directory, PID_FILE));
}

function readNote(pidFile: string): HolderNote {
  const [first = '', second = ''] = readFileSync(pidFile, 'utf8').split('\n');
  const pid = Number.parseInt(first, 10);
  return {
    pid: Number.isNaN(pid) ? undefined : pid,
    phase: PHASES.find((name) => name === second) ?? 'working',
  };
}
