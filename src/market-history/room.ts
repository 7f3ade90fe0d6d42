import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { bucketOf } from './schema.ts';

/** Pruning begins and ends at these parts of the size. */
const [FULL, ROOMY] = [0.95, 0.9];
/** Rows that are pruned in one step. */
const BATCH = 100;
/** Pages by which the file shrinks in one step. */
const VACUUM_PAGES = 100;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

const count = z.object({ value: z.number() });
const closed = z.array(
  z.object({
    id: z.number(),
    base_gpu: z.number().nullable(),
    bid: z.number(),
    jobs: z.number(),
    first_seen: z.number(),
    last_seen: z.number(),
  }),
);

/** Keeps a market history within its size, with its log. */
export class Room {
  readonly #db: DatabaseSync;
  readonly #file: string;
  readonly #maxBytes: number;
  readonly #pageBytes: number;

  constructor(db: DatabaseSync, file: string, maxBytes: number) {
    this.#db = db;
    this.#file = file;
    this.#maxBytes = maxBytes;
    this.#pageBytes = this.#pragma('page_size');
  }

  /** What the file has in use, and its log, in bytes. */
  get usedBytes(): number {
    return (this.#pragma('page_count') - this.#pragma('freelist_count')) * this.#pageBytes + this.#logBytes;
  }

  /** Whether so little is left that the oldest has to go. */
  get isFull(): boolean {
    return this.usedBytes > this.#maxBytes * FULL;
  }

  /** Makes room if it is full: runs become hourly sums, then what is oldest goes. A `yield` follows each small step. */
  *make(): Generator<'long', void> {
    if (this.isFull)
      while (this.usedBytes > this.#maxBytes * ROOMY) {
        const isLess = this.#pruneRuns() || this.#pruneSums();
        yield 'long';
        if (!isLess) break;
      }
    while (this.#fileBytes > this.#maxBytes && this.#pragma('freelist_count') > 0) {
      this.#db.prepare(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`).all();
      yield 'long';
    }
  }

  get #fileBytes(): number {
    return this.#pragma('page_count') * this.#pageBytes + this.#logBytes;
  }

  get #logBytes(): number {
    return statSync(`${this.#file}-wal`, { throwIfNoEntry: false })?.size ?? 0;
  }

  /** Turns the runs that were seen longest ago into sums. */
  #pruneRuns(): boolean {
    const db = this.#db;
    const rows = closed.parse(
      db
        .prepare(
          `SELECT id, base_gpu, bid, jobs, first_seen, last_seen FROM runs
           WHERE last_seen IS NOT NULL ORDER BY last_seen LIMIT ${BATCH}`,
        )
        .all(),
    );
    const last = rows.at(-1);
    if (last === undefined) return false;
    inTransaction(db, () => {
      const add = db.prepare(
        `INSERT INTO histograms (hour, base_gpu, bucket, runs, jobs, open_ms) VALUES (?, ?, ?, 1, ?, ?)
         ON CONFLICT DO UPDATE SET runs = runs + 1, jobs = jobs + excluded.jobs, open_ms = open_ms + excluded.open_ms`,
      );
      const remove = db.prepare('DELETE FROM runs WHERE id = ?');
      for (const row of rows) {
        const hour = Math.floor(row.first_seen / HOUR_MS) * HOUR_MS;
        add.run(hour, row.base_gpu ?? 0, bucketOf(row.bid), row.jobs, row.last_seen - row.first_seen);
        remove.run(row.id);
      }
      db.prepare("INSERT OR REPLACE INTO meta (key, value) VALUES ('pruned', ?)").run(String(last.last_seen));
      db.prepare(
        `DELETE FROM functions WHERE id IN (SELECT id FROM functions WHERE used_at < ? ORDER BY id LIMIT ${BATCH})`,
      ).run(last.last_seen - DAY_MS);
      // What is older than the oldest run is of no use.
      db.prepare(`DELETE FROM polls WHERE id IN (SELECT id FROM polls WHERE until < ? LIMIT ${BATCH})`).run(
        last.last_seen,
      );
      db.prepare(
        `DELETE FROM asks WHERE (at, gpu, ask) IN (SELECT at, gpu, ask FROM asks WHERE at < ? LIMIT ${BATCH})`,
      ).run(last.last_seen);
    });
    return true;
  }

  /** Where no run is left that is not open, what is oldest of the rest. */
  #pruneSums(): boolean {
    const db = this.#db;
    const old = 'SELECT hour, base_gpu, bucket FROM histograms ORDER BY hour LIMIT';
    const sums = db.prepare(`DELETE FROM histograms WHERE (hour, base_gpu, bucket) IN (${old} ${BATCH})`);
    if (sums.run().changes > 0) return true;
    return (
      db
        .prepare(
          `DELETE FROM asks WHERE (at, gpu, ask) IN (SELECT at, gpu, ask FROM asks ORDER BY at LIMIT ${BATCH})`,
        )
        .run().changes > 0
    );
  }

  #pragma(name: 'freelist_count' | 'page_count' | 'page_size'): number {
    return count.parse(this.#db.prepare(`SELECT ${name} AS value FROM pragma_${name}`).get()).value;
  }
}

/** All or nothing. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const answer = work();
    db.exec('COMMIT');
    return answer;
  } catch (cause) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw cause;
  }
}
