import type { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import type { Coverage, MarketPoll, TimeSpan } from '../domain/ports/market-history.ts';

/** A longer time between two polls is known as little as one without the agent, in milliseconds. */
const MAX_GAP_MS = 210_000;
/** The rows of the market itself have no offer. */
export const MARKET = '';

type Stretch = { readonly id: number; readonly state: string; readonly until: number };

const stretchRow = z.object({ id: z.number(), state: z.string(), until: z.number() });
const spanRows = z.array(z.object({ state: z.string(), since: z.number(), until: z.number() }));
const metaRow = z.object({ value: z.coerce.number() });

/** When the market was polled, and what offers did meanwhile, in stretches of time. */
export class CoverageTable {
  readonly #db: DatabaseSync;
  /** The latest stretch of each offer. */
  readonly #latest = new Map<string, Stretch>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** When the market was last seen; undefined: never. */
  get lastPoll(): number | undefined {
    return this.#meta('last_poll');
  }

  /** Adds a poll; part of a transaction. */
  add({ at, isFiltered, isSeen, offers }: MarketPoll): void {
    const seen = isFiltered ? 'filtered' : 'seen';
    this.#extend(MARKET, isSeen ? seen : 'offline', at);
    for (const [offer, state] of offers) this.#extend(offer, isSeen ? state : 'offline', at);
    if (!isSeen) return;
    const write = this.#db.prepare('INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)');
    write.run('last_poll', String(at));
    if (this.#meta('first_poll') === undefined) write.run('first_poll', String(at));
  }

  /** When an offer was in each state. */
  of(offer: string, { from, until }: TimeSpan): Coverage {
    const rows = spanRows.parse(
      this.#db
        .prepare(
          'SELECT state, since, until FROM polls WHERE until >= ? AND offer = ? AND since < ? ORDER BY since',
        )
        .all(from, offer, until),
    );
    const spans = (state: string): readonly TimeSpan[] =>
      rows
        .filter((row) => row.state === state)
        .map((row) => ({ from: Math.max(row.since, from), until: Math.min(row.until, until) }))
        .filter((span) => span.until > span.from);
    const first = this.#meta('first_poll');
    return {
      knownFrom: first === undefined ? undefined : Math.max(first, this.#meta('pruned') ?? first),
      lastPoll: this.lastPoll,
      online: spans('online'),
      paused: spans('paused'),
      offline: spans('offline'),
    };
  }

  #extend(offer: string, state: string, at: number): void {
    const before = this.#latest.get(offer) ?? this.#stored(offer);
    const isNext = before !== undefined && at >= before.until && at - before.until <= MAX_GAP_MS;
    if (isNext && before.state === state) {
      this.#db.prepare('UPDATE polls SET until = ? WHERE id = ?').run(at, before.id);
      this.#latest.set(offer, { ...before, until: at });
      return;
    }
    const since = isNext ? before.until : at;
    const { lastInsertRowid } = this.#db
      .prepare('INSERT INTO polls (offer, state, since, until) VALUES (?, ?, ?, ?)')
      .run(offer, state, since, at);
    this.#latest.set(offer, { id: Number(lastInsertRowid), state, until: at });
  }

  #stored(offer: string): Stretch | undefined {
    const row = this.#db
      .prepare('SELECT id, state, until FROM polls WHERE offer = ? ORDER BY id DESC LIMIT 1')
      .get(offer);
    return stretchRow.safeParse(row).data;
  }

  #meta(key: 'first_poll' | 'last_poll' | 'pruned'): number | undefined {
    return metaRow.safeParse(this.#db.prepare('SELECT value FROM meta WHERE key = ?').get(key)).data?.value;
  }
}
