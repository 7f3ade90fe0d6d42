import { randomUUID } from 'node:crypto';
import { closeSync, existsSync, fsyncSync, openSync, renameSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { AgentError } from '../domain/errors.ts';
import { migrate } from './schema.ts';

/**
 * Makes an empty journal with an agent id of its own. It is made under another name and renamed when it is
 * complete, so that a journal of zero bytes is always damage and never one that was just being made.
 */
export function createDatabase(file: string): void {
  refuseOrphan(file);
  const draft = `${file}.new`;
  for (const leftover of [draft, `${draft}-journal`]) rmSync(leftover, { force: true });
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

/** A write-ahead log without its database holds jobs that SQLite would mix into a new one. */
function refuseOrphan(file: string): void {
  if (!existsSync(`${file}-wal`)) return;
  throw new AgentError(
    'JOURNAL_UNUSABLE',
    `the journal ${file} is gone, but its write-ahead log ${file}-wal is there`,
    {
      hint: 'Put the journal back beside it, or move the log away to begin an empty journal.',
    },
  );
}

/** Sees to it that what was made or renamed in a directory is on the disk. */
export function syncDirectory(directory: string): void {
  const handle = openSync(directory, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
