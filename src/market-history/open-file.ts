import { chmodSync, closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { isDamage } from '../domain/storage-error.ts';
import { ADDED_COLUMNS, APPLICATION_ID, CREATE, VERSION } from './schema.ts';

/** The file in the state directory. */
export const MARKET_HISTORY_FILE = 'market.db';
/** What was replaced is kept once: the history is worth less than its disk. */
const OLD = '.old';
const PARTS = ['', '-wal', '-shm'] as const;

/** How long a call waits for another program that has locked the file, in milliseconds. */
const BUSY_MS = 5;

/** A power cut may lose the last minute and damages nothing; the log stays about a megabyte. */
const SETTINGS = `PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;
  PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 1048576; PRAGMA cache_size = -4096`;

/** An open file; `replaced`: why another one was replaced for it. */
export type OpenFile = { readonly db: DatabaseSync; readonly replaced: string | undefined };

/**
 * Opens the market history of a broker, or begins one. A file that is damaged, a newer agent's or of another broker is renamed
 * to market.db.old. Throws what SQLite or the file system throws where there can be none.
 */
export function openFile(directory: string, broker: string): OpenFile {
  const file = join(directory, MARKET_HISTORY_FILE);
  const wrong = whyUnusable(file, broker);
  if (wrong !== undefined) moveAway(file);
  return { db: open(file, broker), replaced: wrong };
}

/** Renames the file with its log, over what was replaced before. */
export function moveAway(file: string): void {
  for (const part of PARTS) {
    rmSync(`${file}${OLD}${part}`, { force: true, recursive: true });
    if (existsSync(`${file}${part}`)) renameSync(`${file}${part}`, `${file}${OLD}${part}`);
  }
}

/** A failure of the market history; an AgentError stays as it is. */
export function asHistoryError(thrown: unknown, file: string): AgentError {
  if (thrown instanceof AgentError) return thrown;
  const why = thrown instanceof Error ? thrown.message : String(thrown);
  return new AgentError('STATE_DIR_UNUSABLE', `the market history ${file} cannot be used: ${why}`, {
    hint: 'free space on the disk of the state directory, and make it writable for the agent’s user',
    cause: thrown,
  });
}

/** Undefined: it can be used, or there is none. */
function whyUnusable(file: string, broker: string): string | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  // A log without its database would be mixed into the new one.
  if (found === undefined) return existsSync(`${file}-wal`) ? 'it has a log and no database' : undefined;
  if (!found.isFile()) return 'it is not a regular file';
  if (found.size === 0) return 'it is empty';
  try {
    const db = new DatabaseSync(file, { timeout: BUSY_MS });
    try {
      return whyForeign(db) ?? whyOtherBroker(db, broker);
    } finally {
      db.close();
    }
  } catch (cause) {
    if (isDamage(cause)) return 'it is damaged';
    throw cause;
  }
}

function whyForeign(db: DatabaseSync): string | undefined {
  const id = z.object({ application_id: z.number() }).parse(db.prepare('PRAGMA application_id').get());
  if (id.application_id !== APPLICATION_ID) return 'it is no market history';
  const version = z.object({ user_version: z.number() }).parse(db.prepare('PRAGMA user_version').get());
  return version.user_version > VERSION ? 'a newer agent has written it' : undefined;
}

function whyOtherBroker(db: DatabaseSync, broker: string): string | undefined {
  const row = db.prepare("SELECT value FROM meta WHERE key = 'broker'").get();
  return row?.['value'] === broker ? undefined : 'it is of another broker';
}

function open(file: string, broker: string): DatabaseSync {
  const isNew = !existsSync(file);
  if (isNew) create(file, broker);
  else chmodSync(file, 0o600);
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    db.exec(SETTINGS);
    for (const { column, table, type } of ADDED_COLUMNS)
      if (!hasColumn(db, table, column)) db.exec(`ALTER TABLE ${table} ADD COLUMN ${column} ${type}`);
    return db;
  } catch (cause) {
    db.close();
    throw cause;
  }
}

/** Whether a table has a column: a file of an older agent may lack it. */
export function hasColumn(db: DatabaseSync, table: string, column: string): boolean {
  return db.prepare('SELECT 1 FROM pragma_table_info(?) WHERE name = ?').get(table, column) !== undefined;
}

/** Renamed once complete, so that a kill leaves none that is half made. */
function create(file: string, broker: string): void {
  const draft = `${file}.new`;
  for (const stale of [draft, `${draft}-journal`]) rmSync(stale, { force: true });
  closeSync(openSync(draft, 'wx', 0o600));
  const db = new DatabaseSync(draft);
  try {
    // Before the first table, so that a file can shrink step by step.
    db.exec('PRAGMA auto_vacuum = INCREMENTAL');
    db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${VERSION}`);
    // Each of several transactions would wait for the disk.
    db.exec(`BEGIN; ${CREATE}`);
    db.prepare("INSERT INTO meta (key, value) VALUES ('broker', ?)").run(broker);
    db.exec('COMMIT');
  } finally {
    db.close();
  }
  renameSync(draft, file);
}
