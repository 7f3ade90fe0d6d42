import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { syncDirectory } from './create-database.ts';
import { SCHEMA_VERSION, versionOf } from './schema.ts';

/**
 * Copies a journal of an older version, whole, before it is brought up to date: `journal.db.v1-` and the time of its
 * last write. Throws where there is no room for that: without a copy it is better left as it is.
 */
export function keepOlder(db: DatabaseSync, file: string): void {
  const version = versionOf(db);
  if (version >= SCHEMA_VERSION) return;
  const copy = `${file}.v${version}-${statSync(file).mtime.toISOString().replaceAll(':', '-')}`;
  if (existsSync(copy)) return;
  const draft = `${copy}.new`;
  try {
    rmSync(draft, { force: true });
    // SQLite fills an empty file as well, and this one is for its owner alone.
    closeSync(openSync(draft, 'wx', 0o600));
    db.prepare('VACUUM INTO ?').run(draft);
    renameSync(draft, copy);
  } catch (cause) {
    rmSync(draft, { force: true });
    throw cause;
  }
  syncDirectory(dirname(file));
}
