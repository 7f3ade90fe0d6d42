import { z } from 'zod';
import { JOB_STATUS } from '../domain/job.ts';
import type { AuditEntry } from '../domain/ports/decision-store.ts';
import type {
  EndedSlotJob,
  PriceChange,
  PriceFreeze,
  PriceStore,
  PricingState,
} from '../domain/ports/price-store.ts';
import { LIMITS } from '../limits.ts';
import type { Access } from './access.ts';
import { writeAudit } from './sqlite-decisions.ts';

/** Asks: what each offer's strategy remembers, every change with its reason, and the owner's switch that stops them. */
export const CREATE_PRICES = `CREATE TABLE IF NOT EXISTS pricing_states (
    offer_key TEXT PRIMARY KEY,
    detail TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS price_changes (
    seq INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    offer_key TEXT NOT NULL,
    before REAL NOT NULL,
    ask REAL NOT NULL,
    strategy TEXT NOT NULL,
    reason TEXT NOT NULL,
    limited_by TEXT,
    terms TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS price_freeze (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL,
    by TEXT NOT NULL,
    note TEXT
  ) STRICT;`;

const EXISTS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'price_changes'";
const ADD_CHANGE = `INSERT INTO price_changes (at, offer_key, before, ask, strategy, reason, limited_by, terms)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?)`;
const SELECT = 'SELECT at, offer_key, before, ask, strategy, reason, limited_by, terms FROM price_changes';
const LATEST = `${SELECT} ORDER BY seq DESC LIMIT ?`;
const LATEST_OF = `${SELECT} WHERE offer_key = ? ORDER BY seq DESC LIMIT 1`;
/** A job that was released or cancelled never gets further than its claim where it did not start. */
const ENDED = `SELECT j.slot, j.ask_price, j.claimed_at, h.at, h.state, json_extract(h.detail, '$.status') AS status
  FROM job_history h JOIN jobs j ON j.uuid = h.uuid
  WHERE h.seq > ? AND h.seq <= ? AND j.offer_key = ? AND h.state IN ('finished', 'releasing', 'cancelling')
  ORDER BY h.seq DESC LIMIT ?`;
const LAST_SEQ = 'SELECT coalesce(max(seq), 0) AS seq FROM job_history';

const json = z.string().transform((text): unknown => JSON.parse(text));
const figures = z.record(z.string(), z.number());
const instant = z.object({ wall: z.number(), boot: z.object({ boot: z.string(), upMs: z.number() }) });
const state: z.ZodType<Omit<PricingState, 'offer'>> = z.object({
  strategy: z.string(),
  start: z.number(),
  ask: z.number().positive(),
  memory: figures,
  terms: figures,
  askedAt: instant,
  changedAt: instant.optional(),
  idleMs: figures,
  seenSeq: z.number(),
});
const stateRow = z.object({ detail: json.pipe(state) });
const changeRows = z.array(
  z
    .object({
      at: z.number(),
      offer_key: z.string(),
      before: z.number(),
      ask: z.number(),
      strategy: z.string(),
      reason: z.string(),
      limited_by: z.string().nullable(),
      terms: json.pipe(figures),
    })
    .transform(
      ({ limited_by, offer_key, ...rest }): PriceChange => ({
        ...rest,
        offer: offer_key,
        limitedBy: limited_by ?? undefined,
      }),
    ),
);
const freezeRow = z
  .object({ at: z.number(), by: z.string(), note: z.string().nullable() })
  .transform(({ at, by, note }): PriceFreeze => ({ at, by, note: note ?? undefined }));
const seqRow = z.object({ seq: z.number() });
const endedRows = z.array(
  z
    .object({
      slot: z.string(),
      ask_price: z.number(),
      claimed_at: z.number(),
      at: z.number(),
      state: z.string(),
      status: z.number().nullable(),
    })
    .transform(
      (row): EndedSlotJob => ({
        slot: row.slot,
        from: Math.min(row.claimed_at, row.at),
        until: row.at,
        ask: row.ask_price,
        isPaid: row.state === 'finished' && row.status !== JOB_STATUS.FAILED,
      }),
    ),
);

/** What asks were and why, in the journal. */
export class PriceTables implements PriceStore {
  readonly #access: Access;

  constructor(access: Access) {
    this.#access = access;
  }

  state(offer: string): PricingState | undefined {
    const { prepared, read } = this.#access;
    const sql = 'SELECT detail FROM pricing_states WHERE offer_key = ?';
    const row = read(() => (this.#exists() ? prepared(sql).get(offer) : undefined));
    // A newer agent may have written more or other figures: then the strategy starts again.
    const parsed = stateRow.safeParse(row);
    return parsed.success ? { ...parsed.data.detail, offer } : undefined;
  }

  save({ offer, ...rest }: PricingState, change?: PriceChange): void {
    const { prepared, write } = this.#access;
    write(() => {
      prepared('INSERT OR REPLACE INTO pricing_states (offer_key, detail) VALUES (?, ?)').run(
        offer,
        JSON.stringify(rest),
      );
      if (change === undefined) return;
      const { ask, at, before, limitedBy, reason, strategy, terms } = change;
      const values = [at, offer, before, ask, strategy, reason, limitedBy ?? null, JSON.stringify(terms)];
      prepared(ADD_CHANGE).run(...values);
      prepared('DELETE FROM price_changes WHERE seq <= (SELECT max(seq) FROM price_changes) - ?').run(
        LIMITS.journal.priceChanges.max,
      );
    });
  }

  changes(limit: number): readonly PriceChange[] {
    return this.#access.read(() =>
      this.#exists() ? changeRows.parse(this.#access.prepared(LATEST).all(limit)) : [],
    );
  }

  lastChange(offer: string): PriceChange | undefined {
    return changeRows.parse(this.#access.read(() => this.#access.prepared(LATEST_OF).all(offer)))[0];
  }

  freeze(): PriceFreeze | undefined {
    const { prepared, read } = this.#access;
    return read(() => {
      const row = this.#exists() ? prepared('SELECT at, by, note FROM price_freeze').get() : undefined;
      return row === undefined ? undefined : freezeRow.parse(row);
    });
  }

  setFreeze(freeze: PriceFreeze | undefined, entry: AuditEntry): void {
    const { prepared, write } = this.#access;
    write(() => {
      prepared('DELETE FROM price_freeze').run();
      if (freeze !== undefined)
        prepared('INSERT INTO price_freeze (id, at, by, note) VALUES (1, ?, ?, ?)').run(
          freeze.at,
          freeze.by,
          freeze.note ?? null,
        );
      writeAudit(this.#access, entry);
    });
  }

  lastSeq(): number {
    return seqRow.parse(this.#access.read(() => this.#access.prepared(LAST_SEQ).get())).seq;
  }

  endedAfter(offer: string, after: number): { readonly seq: number; readonly jobs: readonly EndedSlotJob[] } {
    const { prepared, read } = this.#access;
    return read(() => {
      const seq = this.lastSeq();
      // All of it is new where everything from before was deleted.
      const rows = prepared(ENDED).all(after > seq ? 0 : after, seq, offer, LIMITS.journal.endedJobs.max);
      return { seq, jobs: endedRows.parse(rows).toReversed() };
    });
  }

  /** A journal that only an older agent has written, and that is only read now, has no such tables. */
  #exists(): boolean {
    return this.#access.prepared(EXISTS).get() !== undefined;
  }
}
