import { z } from 'zod';
import { AgentError } from '../domain/errors.ts';
import type { AuditEntry } from '../domain/ports/decision-store.ts';
import type { ImageDay, ImagePin, ImageRecords, ImageWins, OwnPull } from '../domain/ports/image-records.ts';
import { LIMITS } from '../limits.ts';
import type { Access } from './access.ts';
import { writeAudit } from './sqlite-decisions.ts';

/** Images: the agent's own pulls, how each was wanted and used by day, what jobs have which, and the owner's pins. */
export const CREATE_IMAGES = `CREATE TABLE IF NOT EXISTS image_pulls (
    seq INTEGER PRIMARY KEY,
    engine TEXT NOT NULL,
    image_id TEXT NOT NULL,
    ref TEXT NOT NULL,
    pulled_at INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    removed_at INTEGER,
    UNIQUE (engine, image_id, ref)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS image_days (
    ref TEXT NOT NULL,
    day INTEGER NOT NULL,
    wanted INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    wins INTEGER NOT NULL,
    earned_micro INTEGER NOT NULL,
    used_at INTEGER,
    PRIMARY KEY (ref, day)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS image_days_by_day ON image_days (day);
  CREATE INDEX IF NOT EXISTS image_days_won ON image_days (day) WHERE wins > 0;
  CREATE TABLE IF NOT EXISTS job_images (
    seq INTEGER PRIMARY KEY,
    job TEXT NOT NULL UNIQUE,
    ref TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS image_pins (
    ref TEXT PRIMARY KEY,
    at INTEGER NOT NULL,
    by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;`;

const EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'image_pulls'";
const PULLS = 'SELECT * FROM image_pulls WHERE engine = ? ORDER BY seq';
const ADD_PULL = `INSERT OR REPLACE INTO image_pulls (engine, image_id, ref, pulled_at, bytes, removed_at)
  VALUES (?, ?, ?, ?, ?, ?)`;
/** Removed images first: a pull that is forgotten makes its image the owner's. */
const FORGET_PULLS = `DELETE FROM image_pulls WHERE seq IN (
    SELECT seq FROM image_pulls ORDER BY removed_at IS NULL, seq
    LIMIT max((SELECT count(*) FROM image_pulls) - ?, 0))`;
const ADD_DAY = `INSERT INTO image_days (ref, day, wanted, tries, wins, earned_micro, used_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)
  ON CONFLICT DO UPDATE SET wanted = wanted + excluded.wanted, tries = tries + excluded.tries, wins = wins + excluded.wins,
    earned_micro = earned_micro + excluded.earned_micro,
    used_at = max(coalesce(used_at, excluded.used_at), coalesce(excluded.used_at, used_at))`;
/** Those of a day that say least of what an image earns. */
const FORGET_OF_DAY = `DELETE FROM image_days WHERE day = ? AND ref IN (
    SELECT ref FROM image_days WHERE day = ? ORDER BY wins, tries, wanted, ref DESC
    LIMIT max((SELECT count(*) FROM image_days WHERE day = ?) - ?, 0))`;
/** By what is stored rather than by today: a clock that was wrong for a while loses no history. */
const FORGET_DAYS = `DELETE FROM image_days WHERE day <= (
    SELECT day FROM (SELECT DISTINCT day FROM image_days) ORDER BY day DESC LIMIT 1 OFFSET ?)`;
const KEEP_JOB = 'INSERT OR REPLACE INTO job_images (job, ref) VALUES (?, ?)';
const FORGET_JOBS = 'DELETE FROM job_images WHERE seq <= (SELECT max(seq) FROM job_images) - ?';
const BY_RUNS = `SELECT ref FROM image_days WHERE day >= ? GROUP BY ref HAVING sum(wanted) > 0
  ORDER BY sum(wanted) DESC, ref LIMIT ?`;
const WINS = `SELECT coalesce(sum(wins), 0) AS wins, coalesce(sum(earned_micro), 0) AS earned FROM image_days
  WHERE day >= ? AND wins > 0`;

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
      ({ bytes, engine, image_id, pulled_at, ref, removed_at }): OwnPull => ({
        engine,
        imageId: image_id,
        ref,
        pulledAt: pulled_at,
        bytes,
        removedAt: removed_at ?? undefined,
      }),
    ),
);
const dayRows = z.array(
  z
    .object({
      ref: z.string(),
      day: z.number(),
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
const refRows = z.array(z.object({ ref: z.string() }));
const pinRows = z.array(z.object({ ref: z.string(), at: z.number(), by: z.string() }));
const firstRow = z.object({ day: z.number().nullable() });
const winsRow = z.object({ wins: z.number(), earned: z.number() });
const countRow = z.object({ count: z.number() });

/** What is known of images, in the journal. A journal that only an older agent has written knows nothing. */
export class ImageTables implements ImageRecords {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  pulls(engine: string): readonly OwnPull[] {
    return this.#read([], ({ prepared }) => pullRows.parse(prepared(PULLS).all(engine)));
  }

  addPull({ bytes, engine, imageId, pulledAt, ref, removedAt }: OwnPull): void {
    const { prepared, write } = this.#access;
    write(() => {
      prepared(ADD_PULL).run(engine, imageId, ref, pulledAt, bytes, removedAt ?? null);
      prepared(FORGET_PULLS).run(LIMITS.journal.imagePulls.max);
    });
  }

  removed(engine: string, imageId: string, at: number): void {
    const sql =
      'UPDATE image_pulls SET removed_at = ? WHERE engine = ? AND image_id = ? AND removed_at IS NULL';
    this.#access.write(() => this.#access.prepared(sql).run(at, engine, imageId));
  }

  addDays(days: readonly ImageDay[]): void {
    const { prepared, write } = this.#access;
    write(() => {
      const add = prepared(ADD_DAY);
      for (const { day, earnedMicroDollars, ref, tries, usedAt, wanted, wins } of days)
        add.run(ref, day, wanted, tries, wins, earnedMicroDollars, usedAt ?? null);
      for (const day of new Set(days.map((row) => row.day)))
        prepared(FORGET_OF_DAY).run(day, day, day, LIMITS.journal.imagesOfDay.max);
      prepared(FORGET_DAYS).run(LIMITS.journal.imageDays.max);
    });
  }

  days(from: number): readonly ImageDay[] {
    const sql = 'SELECT * FROM image_days WHERE day >= ? ORDER BY day, ref';
    return this.#read([], ({ prepared }) => dayRows.parse(prepared(sql).all(from)));
  }

  daysOf(ref: string, from: number): readonly ImageDay[] {
    const sql = 'SELECT * FROM image_days WHERE ref = ? AND day >= ? ORDER BY day DESC';
    return this.#read([], ({ prepared }) => dayRows.parse(prepared(sql).all(ref, from)));
  }

  wantedRefs(from: number, limit: number): readonly string[] {
    return this.#read([], ({ prepared }) =>
      refRows.parse(prepared(BY_RUNS).all(from, limit)).map(({ ref }) => ref),
    );
  }

  firstDay(from: number): number | undefined {
    const sql = 'SELECT min(day) AS day FROM image_days WHERE day >= ?';
    return this.#read(undefined, ({ prepared }) => firstRow.parse(prepared(sql).get(from)).day ?? undefined);
  }

  wins(from: number): ImageWins {
    return this.#read({ wins: 0, earnedMicroDollars: 0 }, ({ prepared }) => {
      const { earned, wins } = winsRow.parse(prepared(WINS).get(from));
      return { wins, earnedMicroDollars: earned };
    });
  }

  /** Remembers the image of a job; to be called in the transaction of its claim. */
  keepJob(job: string, ref: string): void {
    const { prepared } = this.#access;
    prepared(KEEP_JOB).run(job, ref);
    prepared(FORGET_JOBS).run(LIMITS.journal.jobImages.max);
  }

  imageOf(job: string): string | undefined {
    const sql = 'SELECT ref FROM job_images WHERE job = ?';
    return this.#read(undefined, ({ prepared }) => refRows.parse(prepared(sql).all(job))[0]?.ref);
  }

  pins(): readonly ImagePin[] {
    const sql = 'SELECT ref, at, by FROM image_pins ORDER BY ref';
    return this.#read([], ({ prepared }) => pinRows.parse(prepared(sql).all()));
  }

  pin({ at, by, ref }: ImagePin, entry: AuditEntry): boolean {
    const { prepared, write } = this.#access;
    return write(() => {
      if (prepared('SELECT 1 FROM image_pins WHERE ref = ?').get(ref) !== undefined) return false;
      const { count } = countRow.parse(prepared('SELECT count(*) AS count FROM image_pins').get());
      if (count >= LIMITS.journal.imagePins.max)
        throw new AgentError('IMAGE_PINS_FULL', `${count} images are pinned already`);
      prepared('INSERT INTO image_pins (ref, at, by) VALUES (?, ?, ?)').run(ref, at, by);
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

  #read<T>(without: T, work: (access: Access) => T): T {
    const { prepared, read } = this.#access;
    return read(() => (prepared(EXISTS).get() === undefined ? without : work(this.#access)));
  }
}
