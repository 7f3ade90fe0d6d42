import { AgentError } from './errors.ts';

/** The primary result codes of SQLite that an owner can act on: https://sqlite.org/rescode.html */
const SQLITE = {
  PERM: 3,
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const;

/** SQLite's primary result code; undefined: not thrown by SQLite. */
function resultCode(thrown: unknown): number | undefined {
  if (!(thrown instanceof Error) || !('errcode' in thrown)) return undefined;
  return typeof thrown.errcode === 'number' ? thrown.errcode & 0xff : undefined;
}

/** Whether another process has the lock. */
export function isBusy(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === SQLITE.BUSY || code === SQLITE.LOCKED;
}

/** Whether SQLite found the file damaged or not a database. */
export function isDamage(thrown: unknown): boolean {
  const code = resultCode(thrown);
  return code === SQLITE.CORRUPT || code === SQLITE.NOTADB;
}

/** Converts a failure of SQLite or the file system on `file` to an AgentError; an AgentError stays as it is. */
export function asStorageError(thrown: unknown, file: string): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  if (isDamage(thrown)) {
    return new AgentError('JOURNAL_UNUSABLE', `the journal ${file} is damaged: ${why}`, {
      hint: 'restore it from a backup, or move it away to start with an empty one',
      cause: thrown,
    });
  }
  if (resultCode(thrown) === SQLITE.FULL || systemCode(thrown) === 'ENOSPC') {
    return new AgentError('STATE_DIR_UNUSABLE', `the disk is full: ${file} could not be written`, {
      hint: 'free space on the disk of the state directory',
      cause: thrown,
    });
  }
  if (isBusy(thrown)) {
    return new AgentError('STATE_DIR_UNUSABLE', `${file} is locked by another program`, {
      hint: 'end the program that has it open, such as a backup or a database shell',
      cause: thrown,
    });
  }
  if (isStorage(thrown)) {
    return new AgentError('STATE_DIR_UNUSABLE', `${file} cannot be read or written: ${why}`, {
      hint: 'make the state directory writable for the agent’s user, and check its disk',
      cause: thrown,
    });
  }
  return new AgentError('INTERNAL', `${file} failed: ${why}`, { cause: thrown });
}

function systemCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown) || !('syscall' in thrown)) return undefined;
  return typeof thrown.code === 'string' ? thrown.code : undefined;
}

function isStorage(thrown: unknown): boolean {
  const code = resultCode(thrown);
  if (code === undefined) return systemCode(thrown) !== undefined;
  return [SQLITE.PERM, SQLITE.READONLY, SQLITE.IOERR, SQLITE.CANTOPEN].some((known) => known === code);
}
