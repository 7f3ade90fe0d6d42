import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';

/** Marks the file as a journal of this agent; `SCAg` in ASCII. */
const APPLICATION_ID = 0x53434167;

/**
 * What takes a journal from each version to the next: entry 0 makes version 1. Entries that were released are
 * never changed; a change of the schema is a new entry.
 */
const MIGRATIONS = [
  `CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
   CREATE TABLE instances (
     broker TEXT NOT NULL,
     offer_key TEXT NOT NULL,
     instance TEXT NOT NULL,
     PRIMARY KEY (broker, offer_key)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE jobs (
     seq INTEGER PRIMARY KEY,
     uuid TEXT NOT NULL UNIQUE,
     broker TEXT NOT NULL,
     run TEXT NOT NULL,
     function_name TEXT NOT NULL,
     offer_key TEXT NOT NULL,
     instance TEXT NOT NULL,
     slot TEXT NOT NULL,
     gpu TEXT,
     ask_price REAL NOT NULL,
     image TEXT NOT NULL,
     timeout_ms INTEGER NOT NULL,
     state TEXT NOT NULL,
     detail TEXT NOT NULL,
     claimed_at INTEGER NOT NULL,
     updated_at INTEGER NOT NULL
   ) STRICT;
   CREATE INDEX jobs_by_state ON jobs (state, seq);`,
  // Since when a job runs, by a clock that nobody sets; not known of those that were here before.
  `UPDATE jobs SET detail = json_set(detail, '$.since', json('{"boot":"","upMs":0}'))
   WHERE state IN ('starting', 'running');`,
];

/** The version of the schema that this agent writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The version of the schema that a journal has. */
export function versionOf(db: DatabaseSync): number {
  return pragma(db, 'user_version');
}

/**
 * Refuses, without changing anything, a database that another program or a newer agent made. Throws JOURNAL_UNUSABLE.
 * `aboutCopy` sees to a copy of a newer agent's, and answers a sentence about it.
 */
export function checkMaker(db: DatabaseSync, file: string, aboutCopy = (): string => ''): void {
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    throw new AgentError('JOURNAL_UNUSABLE', `${file} is not a journal of this agent`, {
      hint: 'Point --state-dir elsewhere, or move that file away to begin an empty journal.',
    });
  }
  const version = versionOf(db);
  if (version > SCHEMA_VERSION) {
    throw new AgentError(
      'JOURNAL_UNUSABLE',
      `the journal ${file} has version ${version}, this agent knows versions up to ${SCHEMA_VERSION}: a newer agent wrote it`,
      {
        hint: `Run the newer agent again, or give this one a --state-dir of its own. ${aboutCopy()}`.trimEnd(),
      },
    );
  }
}

/** Brings a database to the newest version, all of it or nothing. */
export function migrate(db: DatabaseSync): void {
  const version = versionOf(db);
  if (version === SCHEMA_VERSION) return;
  db.exec('BEGIN IMMEDIATE');
  for (const step of MIGRATIONS.slice(version)) db.exec(step);
  db.exec(`PRAGMA application_id = ${APPLICATION_ID}; PRAGMA user_version = ${SCHEMA_VERSION}`);
  db.exec('COMMIT');
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): number {
  const row = db.prepare(`SELECT ${name} AS value FROM pragma_${name}`).get();
  return z.object({ value: z.number() }).parse(row).value;
}
