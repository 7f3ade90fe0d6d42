import {
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { syncDirectory } from './create-database.ts';
import { SCHEMA_VERSION, versionOf } from './schema.ts';

/**
 * Copies a journal that this agent cannot use, and its write-ahead log, before the owner tries to repair it. Named after the
 * last write, so that a daemon that restarts in a loop makes one copy. Returns a sentence about it for people.
 *
 * The process must not use the journal afterwards: closing the copied file drops SQLite's locks on it.
 */
export function backUpUnusable(file: string, kind: 'damaged' | 'newer'): string {
  try {
    const copy = `${file}.${kind}-${lastWrite(file)}`;
    copyOnce(file, copy);
    if (existsSync(`${file}-wal`) && statSync(`${file}-wal`).size > 0) copyOnce(`${file}-wal`, `${copy}-wal`);
    return `A copy is kept as ${copy}.`;
  } catch (cause) {
    return `It could not be copied: ${cause instanceof Error ? cause.message : String(cause)}.`;
  }
}

/**
 * Copies a journal of an older version before its migration, as `journal.db.v1-` and the time of its last write. Throws if
 * the disk is full, because a journal must not be migrated without a copy.
 */
export function backUpBeforeMigration(db: DatabaseSync, file: string): void {
  const version = versionOf(db);
  if (version >= SCHEMA_VERSION) return;
  const copy = `${file}.v${version}-${lastWrite(file)}`;
  if (existsSync(copy)) return;
  const draft = `${copy}.new`;
  try {
    rmSync(draft, { force: true });
    // VACUUM INTO accepts an empty file, which lets us set its mode.
    closeSync(openSync(draft, 'wx', 0o600));
    db.prepare('VACUUM INTO ?').run(draft);
    renameSync(draft, copy);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw cause;
  }
  syncDirectory(dirname(file));
}

function lastWrite(file: string): string {
  return statSync(file).mtime.toISOString().replaceAll(':', '-');
}

function copyOnce(from: string, to: string): void {
  if (!existsSync(to)) copyFileSync(from, to, constants.COPYFILE_EXCL);
}
