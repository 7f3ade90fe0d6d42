import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import { CREATE_JOB_ENERGY } from './energy.ts';
import { CREATE_ENERGY_DAYS } from './energy-days.ts';
import { CREATE_JOB_FUNCTIONS } from './function-durations.ts';
import { CREATE_GPU_ROLLUPS } from './gpu-rollups.ts';
import { CREATE_GPU_TOTALS } from './gpu-totals.ts';
import { CREATE_IMAGES } from './image-tables.ts';
import { CREATE_JOB_OUTPUTS } from './job-outputs.ts';
import { CREATE_JOB_SUMS } from './job-sums.ts';
import { CREATE_JOB_TOTALS } from './job-totals.ts';
import { CREATE_LEDGER } from './ledger.ts';
import { defineMoney } from './money-functions.ts';
import { CREATE_PRICES } from './price-tables.ts';
import { DECISION_TABLES } from './sqlite-decisions.ts';
import { NOTIFICATION_TABLES } from './sqlite-notifications.ts';

/** Identifies the file as a journal of this agent: `SCAg` in ASCII. */
const APPLICATION_ID = 0x53434167;

/** The migrations; entry 0 creates version 1. Released entries never change: a schema change is a new, additive entry. */
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
  // Adds the start time by a clock that cannot be set; unknown for jobs of older agents.
  `UPDATE jobs SET detail = json_set(detail, '$.since', json('{"boot":"","upMs":0}'))
   WHERE state IN ('starting', 'running');`,
];

/**
 * Tables that older agents of the same version do not know. They do not raise the version, so that an upgrade can be rolled
 * back: an older agent ignores them. Each statement can be repeated.
 */
const ADDITIONS = [
  `CREATE TABLE IF NOT EXISTS job_history (
     seq INTEGER PRIMARY KEY,
     uuid TEXT NOT NULL,
     at INTEGER NOT NULL,
     state TEXT NOT NULL,
     detail TEXT NOT NULL
   ) STRICT;
   CREATE INDEX IF NOT EXISTS job_history_by_job ON job_history (uuid, seq);`,
  // One row per container, because a job that comes back to this host has another address.
  `CREATE TABLE IF NOT EXISTS network_use (
     seq INTEGER PRIMARY KEY,
     job TEXT NOT NULL,
     container TEXT NOT NULL UNIQUE,
     address TEXT,
     started_at INTEGER NOT NULL,
     ended_at INTEGER,
     sent_bytes INTEGER,
     received_bytes INTEGER
   ) STRICT;
   CREATE INDEX IF NOT EXISTS network_use_by_job ON network_use (job);
   CREATE INDEX IF NOT EXISTS network_use_by_address ON network_use (address, started_at);`,
  CREATE_JOB_FUNCTIONS,
  CREATE_GPU_ROLLUPS,
  DECISION_TABLES,
  CREATE_JOB_SUMS,
  CREATE_JOB_OUTPUTS,
  CREATE_JOB_TOTALS,
  CREATE_GPU_TOTALS,
  NOTIFICATION_TABLES,
  CREATE_LEDGER,
  CREATE_JOB_ENERGY,
  CREATE_ENERGY_DAYS,
  CREATE_PRICES,
  CREATE_IMAGES,
];

/** The schema version that this agent writes. */
export const SCHEMA_VERSION = MIGRATIONS.length;

/** The schema version of a journal. */
export function versionOf(db: DatabaseSync): number {
  return pragma(db, 'user_version');
}

/**
 * Throws JOURNAL_UNUSABLE for a database of another program or a newer agent, and changes nothing. `backUp` backs up a newer
 * agent's and returns a sentence about it.
 */
export function checkOrigin(db: DatabaseSync, file: string, backUp = (): string => ''): void {
  if (pragma(db, 'application_id') !== APPLICATION_ID) {
    throw new AgentError('JOURNAL_UNUSABLE', `${file} is not a journal of this agent`, {
      hint: 'name another --state-dir, or move the file away to start with an empty journal',
    });
  }
  const version = versionOf(db);
  if (version > SCHEMA_VERSION) {
    throw new AgentError(
      'JOURNAL_UNUSABLE',
      `the journal ${file} was written by a newer agent: it has version ${version}, and this agent supports up to ${SCHEMA_VERSION}`,
      {
        hint: `run the newer agent again, or give this one its own --state-dir. ${backUp()}`.trimEnd(),
      },
    );
  }
}

/** Migrates a database to the newest version in one transaction, and adds the tables that it lacks. */
export function migrate(db: DatabaseSync): void {
  toNewestVersion(db);
  defineMoney(db);
  for (const statements of ADDITIONS) db.exec(statements);
}

function toNewestVersion(db: DatabaseSync): void {
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
