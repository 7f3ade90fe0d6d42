import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { asStorageError } from '../domain/storage-error.ts';

/** Below this much free space a journal is not compacted. */
const MIN_FREE_BYTES = 16 * 1024 * 1024;

/**
 * Shrinks a journal file of which most is free, as after many large jobs; otherwise SQLite reuses the free space. Skipped if
 * the disk is too full for it.
 */
export function compact(db: DatabaseSync, file: string): void {
  const free = pragma(db, 'freelist_count');
  if (free * pragma(db, 'page_size') <= MIN_FREE_BYTES || free * 2 <= pragma(db, 'page_count')) return;
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
