import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AgentError } from '../domain/errors.ts';
import { migrate } from './schema.ts';

/**
 * Creates an empty journal with a new agent id. It is renamed once complete, so that an empty file is always a damaged
 * journal and never an unfinished one.
 */
export function createDatabase(file: string): void {
  refuseOrphanedLog(file);
  const draft = `${file}.new`;
  for (const stale of [draft, `${draft}-journal`]) rmSync(stale, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  const db = new DatabaseSync(draft);
  try {
    db.exec('PRAGMA synchronous = FULL');
    migrate(db);
    db.prepare("INSERT INTO meta (key, value) VALUES ('agentId', ?)").run(randomUUID());
  } finally {
    db.close();
  }
  renameSync(draft, file);
  syncDirectory(dirname(file));
}

/** SQLite would mix the jobs of a write-ahead log without a database into the new database. */
function refuseOrphanedLog(file: string): void {
  if (!existsSync(`${file}-wal`)) return;
  throw new AgentError(
    'JOURNAL_UNUSABLE',
    `the journal ${file} is missing, but its write-ahead log ${file}-wal exists`,
    {
      hint: 'restore the journal beside its log, or move the log away to start with an empty journal',
    },
  );
}

/** Syncs the entries of a directory to the disk. */
export function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
