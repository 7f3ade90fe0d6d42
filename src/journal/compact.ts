import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { asStorageError } from './sqlite-failure.ts';

/** Less free space than this is worth no work, in bytes. */
const WORTH_BYTES = 16 * 1024 * 1024;

/**
 * Gives a journal's free space back to the disk where that is most of it. What jobs leave is used again for later
 * ones, so this is for the time after a flood. Where the disk has no room for it, it is left for another time.
 */
export function compact(db: DatabaseSync, file: string): void {
  const free = pragma(db, 'freelist_count');
  if (free * pragma(db, 'page_size') <= WORTH_BYTES || free * 2 <= pragma(db, 'page_count')) return;
  try {
    db.exec('VACUUM; PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (thrown) {
    if (asStorageError(thrown, file).code !== 'STATE_DIR_UNUSABLE') throw thrown;
  }
}

function pragma(db: DatabaseSync, name: 'freelist_count' | 'page_size' | 'page_count'): number {
  const row = db.prepare(`SELECT ${name} AS value FROM pragma_${name}`).get();
  return z.object({ value: z.number() }).parse(row).value;
}
