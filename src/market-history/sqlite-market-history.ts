import { join } from 'node:path';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type {
  AskCount,
  Coverage,
  HistogramRow,
  KnownFunction,
  MarketChanges,
  MarketHistory,
  MarketPoll,
  NewRun,
  OpenInterval,
  PastRuns,
  TimeSpan,
} from '../domain/ports/market-history.ts';
import { isDamage } from '../domain/storage-error.ts';
import { CoverageTable } from './coverage.ts';
import { asHistoryError, MARKET_HISTORY_FILE, moveAway, openFile } from './open-file.ts';
import { histogramOf, observedIn } from './reads.ts';
import { inTransaction, Room } from './room.ts';

/** Rows of one transaction: some milliseconds. */
const BATCH = 100;
/** The file is measured after so many transactions. */
const ROOM_EVERY = 20;

const openRows = z.array(
  z
    .object({
      id: z.number(),
      run: z.string(),
      function: z.string().nullable(),
      base_gpu: z.string().nullable(),
      bid: z.number(),
      jobs: z.number(),
    })
    .transform(
      ({ base_gpu: baseGpu, function: fn, ...row }): OpenInterval => ({
        ...row,
        baseGpu,
        function: fn ?? '',
      }),
    ),
);
const SELECT_OPEN = `SELECT runs.id, run, functions.uuid AS function, gpus.uuid AS base_gpu, bid, jobs FROM runs
  LEFT JOIN functions ON functions.id = runs.function LEFT JOIN gpus ON gpus.id = runs.base_gpu
  WHERE last_seen IS NULL AND runs.id > ? ORDER BY runs.id LIMIT 500`;
const idRow = z.object({ id: z.number() });
const askRows = z.array(z.object({ at: z.number(), gpu: z.string(), ask: z.number(), offers: z.number() }));

/** How a market history is opened. */
export type MarketHistoryOptions = {
  readonly directory: string;
  /** The broker's URL. */
  readonly broker: string;
  readonly maxBytes: number;
  /** Called where a file could not be used and a new one was begun, with the reason. */
  readonly onReplaced: (why: string) => void;
};

/** The market history in a file of its own: it may be lost without harm. */
export class SqliteMarketHistory implements MarketHistory {
  readonly #options: MarketHistoryOptions;
  readonly #file: string;
  readonly #statements = new Map<string, StatementSync>();
  readonly #gpus = new Map<string, number>();
  #db: DatabaseSync;
  #room: Room;
  #coverage: CoverageTable;

  /** Opens or begins it. Throws STATE_DIR_UNUSABLE. */
  constructor(options: MarketHistoryOptions) {
    this.#options = options;
    this.#file = join(options.directory, MARKET_HISTORY_FILE);
    try {
      const { replaced, db } = openFile(options.directory, options.broker);
      if (replaced !== undefined) options.onReplaced(replaced);
      this.#db = db;
      this.#room = new Room(db, this.#file, options.maxBytes);
      this.#coverage = new CoverageTable(db);
    } catch (cause) {
      throw asHistoryError(cause, this.#file);
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  *open(): Generator<'long', { readonly open: readonly OpenInterval[]; readonly nextId: number }> {
    const open: OpenInterval[] = [];
    for (let after = -1; ; ) {
      const rows = this.#step(() => openRows.parse(this.#prepared(SELECT_OPEN).all(after)));
      open.push(...rows);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
      yield 'long';
    }
    const { id } = this.#step(() =>
      idRow.parse(this.#prepared('SELECT coalesce(max(id), 0) AS id FROM runs').get()),
    );
    return { open, nextId: id + 1 };
  }

  *write(poll: MarketPoll, { began, ended, grew }: MarketChanges): Generator<'long', number> {
    const before = this.#step(() => this.#coverage.lastPoll) ?? poll.at;
    const close = 'UPDATE runs SET last_seen = max(first_seen, ?) WHERE id = ?';
    yield* this.#inBatches(ended, (id) => this.#prepared(close).run(before, id));
    const grow = 'UPDATE runs SET jobs = ? WHERE id = ?';
    yield* this.#inBatches(grew, ({ id, jobs }) => this.#prepared(grow).run(jobs, id));
    const leftOut = yield* this.#begin(began);
    this.#transaction(() => this.#coverage.add(poll));
    yield* this.#makeRoom();
    return leftOut;
  }

  unknownFunctions(limit: number): readonly string[] {
    return this.#step(() =>
      z
        .array(z.object({ uuid: z.string() }))
        .parse(
          this.#prepared('SELECT uuid FROM functions WHERE known_at IS NULL ORDER BY id DESC LIMIT ?').all(
            limit,
          ),
        )
        .map(({ uuid }) => uuid),
    );
  }

  learn(functions: readonly KnownFunction[], at: number): void {
    const update =
      'UPDATE functions SET image = ?, runtime = ?, requires_gpu = ?, known_at = ? WHERE uuid = ?';
    this.#transaction(() => {
      for (const { function: uuid, image, requiresGpu, runtime } of functions)
        this.#prepared(update).run(image, runtime, Number(requiresGpu), at, uuid);
    });
  }

  *writeAsks(asks: readonly AskCount[]): Generator<'long', void> {
    const insert =
      'INSERT INTO asks (at, gpu, ask, offers) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET offers = offers + excluded.offers';
    yield* this.#inBatches(asks, ({ ask, at, gpu, offers }) =>
      this.#prepared(insert).run(at, gpu, ask, offers),
    );
  }

  *observed(span: TimeSpan, limit: number): Generator<'long', PastRuns> {
    return yield* observedIn((sql, ...values) => this.#all(sql, ...values), {
      span,
      limit,
      lastPoll: this.#step(() => this.#coverage.lastPoll),
    });
  }

  asks(gpu: string, { from, until }: TimeSpan): readonly AskCount[] {
    return askRows.parse(
      this.#all(
        'SELECT at, gpu, ask, offers FROM asks WHERE at >= ? AND at < ? AND gpu = ? ORDER BY at, ask',
        from,
        until,
        gpu,
      ),
    );
  }

  coverage(offer: string, span: TimeSpan): Coverage {
    return this.#step(() => this.#coverage.of(offer, span));
  }

  *histogram(span: TimeSpan): Generator<'long', readonly HistogramRow[]> {
    return yield* histogramOf((sql, ...values) => this.#all(sql, ...values), span);
  }

  /** Answers how many had no room. */
  *#begin(began: readonly NewRun[]): Generator<'long', number> {
    for (let at = 0; at < began.length; at += BATCH) {
      if (at % (BATCH * ROOM_EVERY) === 0) {
        yield* this.#makeRoom();
        if (this.#step(() => this.#room.isFull)) return began.length - at;
      }
      this.#transaction(() => {
        for (const run of began.slice(at, at + BATCH)) this.#insert(run);
      });
      yield 'long';
    }
    return 0;
  }

  #insert({ baseGpu, bid, firstSeen, function: uuid, id, jobs, run }: NewRun): void {
    const fn = idRow.parse(
      this.#prepared(
        'INSERT INTO functions (uuid, used_at) VALUES (?, ?) ON CONFLICT DO UPDATE SET used_at = excluded.used_at RETURNING id',
      ).get(uuid, firstSeen),
    );
    this.#prepared(
      'INSERT INTO runs (id, run, function, base_gpu, bid, jobs, first_seen) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ).run(id, run, fn.id, baseGpu === null ? null : this.#gpuId(baseGpu), bid, jobs, firstSeen);
  }

  #gpuId(uuid: string): number {
    const known = this.#gpus.get(uuid);
    if (known !== undefined) return known;
    const { id } = idRow.parse(
      this.#prepared(
        'INSERT INTO gpus (uuid) VALUES (?) ON CONFLICT DO UPDATE SET uuid = excluded.uuid RETURNING id',
      ).get(uuid),
    );
    if (this.#gpus.size >= 10_000) this.#gpus.clear();
    this.#gpus.set(uuid, id);
    return id;
  }

  *#inBatches<T>(items: readonly T[], work: (item: T) => unknown): Generator<'long', void> {
    for (let at = 0; at < items.length; at += BATCH) {
      this.#transaction(() => {
        for (const item of items.slice(at, at + BATCH)) work(item);
      });
      yield 'long';
    }
  }

  *#makeRoom(): Generator<'long', void> {
    const steps = this.#room.make();
    while (this.#step(() => steps.next()).done !== true) yield 'long';
  }

  #all(sql: string, ...values: readonly SQLInputValue[]): readonly unknown[] {
    return this.#step(() => this.#prepared(sql).all(...values));
  }

  #transaction(work: () => void): void {
    this.#step(() => inTransaction(this.#db, work));
  }

  /** Sets a damaged file replaced, so that the next poll begins a new one. Throws STATE_DIR_UNUSABLE. */
  #step<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      const error = asHistoryError(cause, this.#file);
      if (isDamage(cause)) this.#replace();
      throw error;
    }
  }

  #replace(): void {
    const { broker, directory, maxBytes, onReplaced } = this.#options;
    this.#statements.clear();
    this.#gpus.clear();
    try {
      if (this.#db.isOpen) this.#db.close();
      moveAway(this.#file);
      this.#db = openFile(directory, broker).db;
      this.#room = new Room(this.#db, this.#file, maxBytes);
      this.#coverage = new CoverageTable(this.#db);
    } catch (cause) {
      throw asHistoryError(cause, this.#file);
    }
    onReplaced('it is damaged');
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}
