import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import type { AuditEntry } from '../domain/ports/decision-store.ts';
import type { ImageDay, ImagePin, ImageRecords, OwnPull } from '../domain/ports/image-records.ts';
import { LIMITS } from '../limits.ts';
import type { Access } from './access.ts';
import { writeAudit } from './sqlite-decisions.ts';

/** Images: which ones the agent pulled itself, what each was wanted for by day, and which ones the owner keeps. */
export const CREATE_IMAGES = `CREATE TABLE IF NOT EXISTS image_pulls (
    engine TEXT NOT NULL,
    image_id TEXT NOT NULL,
    ref TEXT NOT NULL,
    pulled_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    removed_at INTEGER,
    PRIMARY KEY (engine, image_id)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS image_days (
    day INTEGER NOT NULL,
    ref TEXT NOT NULL,
    wanted INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    wins INTEGER NOT NULL,
    earned_micro INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (day, ref)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS image_pins (
    ref TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;`;

/** How long the counts of a day are kept. */
const KEEP_DAYS = 30;

const EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'image_pins'";
const ADD_PULL = `INSERT OR REPLACE INTO image_pulls (engine, image_id, ref, pulled_at, bytes, removed_at)
  VALUES (?, ?, ?, ?, ?, NULL)`;
const OLD_PULLS = `DELETE FROM image_pulls WHERE (engine, image_id) IN (
  SELECT engine, image_id FROM image_pulls ORDER BY removed_at IS NULL DESC, coalesce(removed_at, pulled_at) DESC
  LIMIT -1 OFFSET ?)`;
const REMOVED = 'UPDATE image_pulls SET removed_at = ? WHERE engine = ? AND image_id = ?';
const ADD_DAY = `INSERT INTO image_days (day, ref, wanted, tries, wins, earned_micro, used_at)
  VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT (day, ref) DO UPDATE SET
    wanted = wanted + excluded.wanted,
    tries = tries + excluded.tries,
    wins = wins + excluded.wins,
    earned_micro = earned_micro + excluded.earned_micro,
    used_at = coalesce(max(used_at, excluded.used_at), used_at, excluded.used_at)`;
/** Of the oldest days, what nobody used or won goes first. */
const OLD_DAYS = `DELETE FROM image_days WHERE (day, ref) IN (
  SELECT day, ref FROM image_days ORDER BY day DESC, wins DESC, wanted DESC LIMIT -1 OFFSET ?)`;

const pullRows = z.array(
  z
    .object({
      engine: z.string(),
      image_id: z.string(),
      ref: z.string(),
      pulled_at: z.number(),
      bytes: z.number(),
      removed_at: z.number().nullable(),
    })
    .transform(
      ({ image_id, pulled_at, removed_at, ...rest }): OwnPull => ({
        ...rest,
        imageId: image_id,
        pulledAt: pulled_at,
        removedAt: removed_at ?? undefined,
      }),
    ),
);
const dayRows = z.array(
  z
    .object({
      day: z.number(),
      ref: z.string(),
      wanted: z.number(),
      tries: z.number(),
      wins: z.number(),
      earned_micro: z.number(),
      used_at: z.number().nullable(),
    })
    .transform(
      ({ earned_micro, used_at, ...rest }): ImageDay => ({
        ...rest,
        earnedMicroDollars: earned_micro,
        usedAt: used_at ?? undefined,
      }),
    ),
);
const pinRows: z.ZodType<readonly ImagePin[]> = z.array(
  z.object({ ref: z.string(), at: z.number(), by: z.string() }),
);
const countRow = z.object({ count: z.number() });

/** What is known of images, in the journal. */
export class ImageTables implements ImageRecords {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  pulls(engine: string): readonly OwnPull[] {
    const sql = `SELECT engine, image_id, ref, pulled_at, bytes, removed_at FROM image_pulls
      WHERE engine = ? ORDER BY pulled_at, image_id`;
    return pullRows.parse(this.#rows(sql, engine));
  }

  addPull({ bytes, engine, imageId, pulledAt, ref }: OwnPull): void {
    const { prepared, write } = this.#access;
    write(() => {
      prepared(ADD_PULL).run(engine, imageId, ref, pulledAt, bytes);
      const max = LIMITS.journal.imagePulls.max;
      if (countRow.parse(prepared('SELECT count(*) AS count FROM image_pulls').get()).count > max)
        prepared(OLD_PULLS).run(max);
    });
  }

  removed(engine: string, imageId: string, at: number): void {
    this.#access.write(() => this.#access.prepared(REMOVED).run(at, engine, imageId));
  }

  addDays(days: readonly ImageDay[]): void {
    const { prepared, write } = this.#access;
    if (days.length === 0) return;
    write(() => {
      for (const { day, earnedMicroDollars, ref, tries, usedAt, wanted, wins } of days)
        prepared(ADD_DAY).run(day, ref, wanted, tries, wins, earnedMicroDollars, usedAt ?? null);
      const newest = Math.max(...days.map(({ day }) => day));
      prepared('DELETE FROM image_days WHERE day <= ?').run(newest - KEEP_DAYS);
      const max = LIMITS.journal.imageDays.max;
      if (countRow.parse(prepared('SELECT count(*) AS count FROM image_days').get()).count > max)
        prepared(OLD_DAYS).run(max);
    });
  }

  days(from: number): readonly ImageDay[] {
    const sql = `SELECT day, ref, wanted, tries, wins, earned_micro, used_at FROM image_days
      WHERE day >= ? ORDER BY day, ref`;
    return dayRows.parse(this.#rows(sql, from));
  }

  pins(): readonly ImagePin[] {
    return pinRows.parse(this.#rows('SELECT ref, at, by FROM image_pins ORDER BY ref'));
  }

  pin({ at, by, ref }: ImagePin, entry: AuditEntry): boolean {
    const { prepared, write } = this.#access;
    return write(() => {
      const { count } = countRow.parse(prepared('SELECT count(*) AS count FROM image_pins').get());
      const sql = 'INSERT OR IGNORE INTO image_pins (ref, at, by) VALUES (?, ?, ?)';
      if (prepared(sql).run(ref, at, by).changes === 0) return false;
      if (count >= LIMITS.journal.imagePins.max)
        throw new AgentError('IMAGE_PINS_FULL', `${count} images are pinned already`);
      writeAudit(this.#access, entry);
      return true;
    });
  }

  unpin(ref: string, entry: AuditEntry): boolean {
    const { prepared, write } = this.#access;
    return write(() => {
      if (prepared('DELETE FROM image_pins WHERE ref = ?').run(ref).changes === 0) return false;
      writeAudit(this.#access, entry);
      return true;
    });
  }

  /** A journal that only an older agent has written, and that is only read now, has no such tables. */
  #rows(sql: string, ...values: readonly (string | number)[]): readonly unknown[] {
    const { prepared, read } = this.#access;
    return read(() => (prepared(EXISTS).get() === undefined ? [] : prepared(sql).all(...values)));
  }
}
