import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { asHistoryError, hasColumn, MARKET_HISTORY_FILE } from './open-file.ts';

const DAY_MS = 86_400_000;
/** What is summed up, in days. */
const DAYS = 7;

const rows = {
  days: z.array(z.object({ day: z.number(), runs: z.number() })),
  bids: z.array(
    z.object({ gpu: z.string().nullable(), name: z.string().nullable(), runs: z.number(), bid: z.number() }),
  ),
  one: z.object({ value: z.coerce.number().nullable() }),
};

/** What a market history has of the last seven days. Times are milliseconds of the wall clock, days those of UTC. */
export type HistorySummary = {
  readonly bytes: number;
  readonly since: number | null;
  /** The part of the time in which the market was polled, from 0 to 1. */
  readonly coverage: number;
  readonly days: readonly { readonly day: number; readonly runs: number }[];
  /** By the catalogue's uuid of the smallest sufficient GPU; null: any, or none. Bids are US dollars per job and minute. */
  readonly medianBids: readonly {
    readonly gpu: string | null;
    /** What the broker calls it; null: no run said so. */
    readonly name: string | null;
    readonly runs: number;
    readonly bid: number;
  }[];
};

/** Sums up a market history, also while an agent writes it; undefined: there is none. Throws STATE_DIR_UNUSABLE. */
export function summaryOf(directory: string, now: number): HistorySummary | undefined {
  const file = join(directory, MARKET_HISTORY_FILE);
  if (!existsSync(file)) return undefined;
  const from = now - DAYS * DAY_MS;
  try {
    using db = closing(new DatabaseSync(file, { readOnly: true, timeout: 2_000 }));
    const all = (sql: string): unknown => db.db.prepare(sql).all(from);
    const name = hasColumn(db.db, 'gpus', 'name') ? 'gpus.name' : 'NULL';
    const since = rows.one.safeParse(
      db.db.prepare("SELECT max(value) AS value FROM meta WHERE key IN ('first_poll', 'pruned')").get(),
    ).data?.value;
    const known = rows.one.parse(
      db.db
        .prepare(
          "SELECT total(until - max(since, ?)) AS value FROM polls WHERE offer = '' AND state <> 'offline' AND until > ?",
        )
        .get(from, from),
    );
    return {
      bytes: ['', '-wal'].reduce(
        (sum, part) => sum + (statSync(`${file}${part}`, { throwIfNoEntry: false })?.size ?? 0),
        0,
      ),
      since: since ?? null,
      coverage: Math.min(1, (known.value ?? 0) / (DAYS * DAY_MS)),
      days: rows.days.parse(
        all(
          `SELECT first_seen / ${DAY_MS} * ${DAY_MS} AS day, count(*) AS runs FROM runs WHERE first_seen >= ? GROUP BY 1 ORDER BY 1`,
        ),
      ),
      medianBids: rows.bids.parse(
        all(
          `SELECT gpus.uuid AS gpu, ${name} AS name, runs, bid FROM (SELECT base_gpu, bid, count(*) OVER (PARTITION BY base_gpu) AS runs,
           row_number() OVER (PARTITION BY base_gpu ORDER BY bid) AS place FROM runs WHERE first_seen >= ?)
           LEFT JOIN gpus ON gpus.id = base_gpu WHERE place = (runs + 1) / 2 ORDER BY runs DESC LIMIT 50`,
        ),
      ),
    };
  } catch (cause) {
    throw asHistoryError(cause, file);
  }
}

function closing(db: DatabaseSync): Disposable & { readonly db: DatabaseSync } {
  return { db, [Symbol.dispose]: () => db.close() };
}
