import { chmodSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { OPEN_STATES } from '../domain/job.ts';
import type { Clock } from '../domain/ports/clock.ts';
import { asStorageError, isDamage } from '../domain/storage-error.ts';
import { systemClock } from '../lib/clock.ts';
import { backUpBeforeMigration, backUpUnusable } from './backup.ts';
import { assignBroker, type BrokerMoveOptions } from './broker-move.ts';
import { compact } from './compact.ts';
import { createDatabase } from './create-database.ts';
import { type HomeOptions, settleHome } from './home.ts';
import { checkOrigin, migrate } from './schema.ts';
import { SqliteJournal } from './sqlite-journal.ts';

/** The journal's file name in the state directory. */
export const JOURNAL_FILE = 'journal.db';

/** A journal that a command reads while an agent may be writing it. */
export type JournalReader = Pick<
  SqliteJournal,
  | 'agentId'
  | 'bookedJobs'
  | 'decisions'
  | 'ledger'
  | 'notifications'
  | 'images'
  | 'prices'
  | 'sums'
  | 'energy'
  | 'outcomes'
  | 'outputs'
  | 'ownJobs'
  | 'get'
  | 'inState'
  | 'uuidsIn'
  | 'history'
  | 'newest'
  | 'matching'
  | 'brokerOf'
  | 'events'
  | 'durationsOf'
  | 'networkUse'
  | 'networkUsesAt'
  | 'close'
>;

/** How a journal is opened. */
export type JournalOptions = BrokerMoveOptions &
  HomeOptions & {
    /** Nothing is synced to the disk: for what is made up, and lost together with its directory anyway. */
    readonly sync?: false;
  };

/** How long a call waits for another program that has locked the journal, such as a backup. */
const BUSY_MS = 2000;

/** Syncs every change to the disk, and keeps the write-ahead log around a megabyte because disks may be small. */
const SETTINGS = `PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 256; PRAGMA journal_size_limit = 16777216`;

/**
 * Opens or creates the journal in `dir`, the locked state directory, for the broker at the URL `broker`. Throws STATE_DIR_UNUSABLE;
 * JOURNAL_UNUSABLE, after a backup, if it is damaged or a newer agent's; STATE_DIR_COPIED as `settleHome` does; CONFIG_INVALID as
 * `assignBroker` does.
 */
export function openJournal(
  dir: { readonly path: string },
  broker: string,
  clock: Clock,
  options: JournalOptions = {},
): SqliteJournal {
  const brokerUrl = new URL(broker).href;
  return openWith(dir, brokerUrl, clock, (db, file) => {
    if (options.sync === false) db.exec('PRAGMA synchronous = OFF');
    settleHome(db, file, options);
    assignBroker(db, file, brokerUrl, options);
  });
}

/**
 * Opens or creates the journal in `dir`, the locked state directory, for the owner's decisions only: which broker and which
 * machine it belongs to is for the next start of the agent. Throws STATE_DIR_UNUSABLE, JOURNAL_UNUSABLE.
 */
export function openDecisions(
  dir: { readonly path: string },
  clock: Clock,
): Pick<SqliteJournal, 'close' | 'decisions' | 'images' | 'inState' | 'prices'> {
  return openWith(dir, '', clock, () => undefined);
}

function openWith(
  dir: { readonly path: string },
  brokerUrl: string,
  clock: Clock,
  settle: (db: DatabaseSync, file: string) => void,
): SqliteJournal {
  const file = join(dir.path, JOURNAL_FILE);
  try {
    if (!exists(file)) createDatabase(file);
    // Checked before SQLite opens it, because SQLite deletes the write-ahead log of an empty database.
    if (statSync(file).size === 0) throw damaged(file, 'it is empty');
    for (const one of [file, `${file}-wal`, `${file}-shm`]) keepToOwner(one);
    const db = new DatabaseSync(file, { timeout: BUSY_MS });
    try {
      checkIntegrity(db, file);
      checkOrigin(db, file, () => backUpUnusable(file, 'newer'));
      db.exec(SETTINGS);
      backUpBeforeMigration(db, file);
      migrate(db);
      compact(db, file);
      settle(db, file);
      return new SqliteJournal({ db, file, agentId: readAgentId(db), broker: brokerUrl, clock });
    } catch (cause) {
      db.close();
      throw cause;
    }
  } catch (cause) {
    throw asStorageError(cause, file);
  }
}

/**
 * Opens the journal of a directory read-only, also while an agent runs; undefined: no journal. Throws STATE_DIR_UNUSABLE,
 * JOURNAL_UNUSABLE.
 */
export function readJournal(directory: string): JournalReader | undefined {
  const file = join(directory, JOURNAL_FILE);
  try {
    if (!exists(file)) return undefined;
    const db = new DatabaseSync(file, { readOnly: true, timeout: BUSY_MS });
    try {
      checkOrigin(db, file);
      return new SqliteJournal({ db, file, agentId: readAgentId(db), broker: '', clock: systemClock });
    } catch (cause) {
      db.close();
      throw cause;
    }
  } catch (cause) {
    throw asStorageError(cause, file);
  }
}

/** A restored journal may be anybody's to read, and so to lock. */
function keepToOwner(file: string): void {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined && (found.mode & 0o077) !== 0) chmodSync(file, 0o600);
}

/** Whether the journal exists. Throws JOURNAL_UNUSABLE for anything but a file, because opening a pipe never returns. */
function exists(file: string): boolean {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || found.isFile()) return found !== undefined;
  throw new AgentError('JOURNAL_UNUSABLE', `${file} is not a regular file`, {
    hint: 'move it away, or name another --state-dir',
  });
}

/** Throws JOURNAL_UNUSABLE, after a backup, if the file is damaged. */
function checkIntegrity(db: DatabaseSync, file: string): void {
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
  const backup = backUpUnusable(file, 'damaged');
  return new AgentError('JOURNAL_UNUSABLE', `the journal ${file} is damaged: ${problem}`, {
    hint: `restore it from a backup, or move it away to start with an empty one, which loses its jobs and reports. ${backup}`,
  });
}

function readAgentId(db: DatabaseSync): string {
  const row = db.prepare("SELECT value FROM meta WHERE key = 'agentId'").get();
  return z.object({ value: z.uuid() }).parse(row).value;
}

/** The number of unfinished jobs in the journal of a state directory; 0 without a journal. Throws JOURNAL_UNUSABLE. */
export function countOpenJobs(directory: string): number {
  const journal = readJournal(directory);
  if (journal === undefined) return 0;
  try {
    return journal.uuidsIn(...OPEN_STATES).length;
  } finally {
    journal.close();
  }
}
