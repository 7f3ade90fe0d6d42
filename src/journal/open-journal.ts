import { statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import type { Clock } from '../domain/ports/clock.ts';
import type { Journal } from '../domain/ports/journal.ts';
import { systemClock } from '../lib/clock.ts';
import type { StateDir } from '../state-dir/state-dir.ts';
import { type AboutBroker, settleBroker } from './brokers.ts';
import { compact } from './compact.ts';
import { createDatabase } from './create-database.ts';
import { keepCopy } from './keep-copy.ts';
import { keepOlder } from './keep-older.ts';
import { checkMaker, migrate } from './schema.ts';
import { asStorageError, isDamage } from './sqlite-failure.ts';
import { SqliteJournal } from './sqlite-journal.ts';

/** The name of the journal's file in the state directory. */
export const JOURNAL_FILE = 'journal.db';

/** What a command may do with a journal that an agent may be writing at the same time. */
export type JournalReader = Pick<Journal, 'agentId' | 'get' | 'inState' | 'uuidsIn' | 'history' | 'close'>;

/** How long a call waits for another program that has the journal locked, such as a backup, in milliseconds. */
const BUSY_MS = 2000;

/** Every change is on the disk before the call returns; the write-ahead log stays around a megabyte, for small disks. */
const SETTINGS = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 16777216`;

/**
 * Opens the journal of a held state directory for this broker (its base URL), making it where there is none.
 * Throws STATE_DIR_UNUSABLE; JOURNAL_UNUSABLE where it is damaged or a newer agent's (a copy is kept beside it);
 * CONFIG_INVALID where jobs of another broker are still open in it, unless that is `about` to have moved.
 */
export function openJournal(
  dir: StateDir,
  broker: string,
  clock: Clock,
  about: AboutBroker = {},
): SqliteJournal {
  const file = join(dir.path, JOURNAL_FILE);
  const home = new URL(broker).href;
  try {
    if (!isThere(file)) createDatabase(file);
    // Before SQLite opens it: beside an empty database it would throw the write-ahead log away.
    if (statSync(file).size === 0) throw damaged(file, 'it is empty');
    const db = new DatabaseSync(file, { timeout: BUSY_MS });
    try {
      checkWhole(db, file);
      checkMaker(db, file, () => keepCopy(file, 'newer'));
      db.exec(SETTINGS);
      keepOlder(db, file);
      migrate(db);
      compact(db, file);
      settleBroker(db, file, home, about);
      return new SqliteJournal({ db, file, agentId: readAgentId(db), broker: home, clock });
    } catch (cause) {
      db.close();
      throw cause;
    }
  } catch (cause) {
    throw asStorageError(cause, file);
  }
}

/**
 * Opens the journal in this directory to read it, beside a running agent too; undefined where there is none yet.
 * Throws STATE_DIR_UNUSABLE, JOURNAL_UNUSABLE.
 */
export function readJournal(directory: string): JournalReader | undefined {
  const file = join(directory, JOURNAL_FILE);
  try {
    if (!isThere(file)) return undefined;
    const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
    try {
      checkMaker(db, file);
      return new SqliteJournal({ db, file, agentId: readAgentId(db), broker: '', clock: systemClock });
    } catch (cause) {
      db.close();
      throw cause;
    }
  } catch (cause) {
    throw asStorageError(cause, file);
  }
}

/** Whether there is a journal. Throws JOURNAL_UNUSABLE for what is no file: opening a pipe would never end. */
function isThere(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return found !== undefined;
  throw new AgentError('JOURNAL_UNUSABLE', `${file} is not a regular file`, {
    hint: 'Move it away, or name another --state-dir.',
  });
}

/** Throws JOURNAL_UNUSABLE where the file is damaged, after a copy of it was kept. */
function checkWhole(db: DatabaseSync, file: string): void {
  let problem: string;
  try {
    const rows = z
      .array(z.object({ quick_check: z.string() }))
      .parse(db.prepare('PRAGMA quick_check(3)').all());
    problem = rows.map((row) => row.quick_check).join('; ');
    if (problem === 'ok') return;
  } catch (cause) {
    if (!isDamage(cause)) throw cause;
    problem = cause instanceof Error ? cause.message : String(cause);
  }
  throw damaged(file, problem);
}

function damaged(file: string, problem: string): AgentError {
  const copy = keepCopy(file, 'damaged');
  return new AgentError('JOURNAL_UNUSABLE', `the journal ${file} is damaged: ${problem}`, {
    hint: `Restore it from a backup, or move it away to begin an empty one (jobs and reports in it are lost then). ${copy}`,
  });
}

function readAgentId(db: DatabaseSync): string {
  const row = db.prepare("SELECT value FROM meta WHERE key = 'agentId'").get();
  return z.object({ value: z.uuid() }).parse(row).value;
}
