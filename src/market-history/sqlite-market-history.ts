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

/** An open file, and what belongs to it. */
type Opened = {
  readonly db: DatabaseSync;
  readonly room: Room;
  readonly coverage: CoverageTable;
  readonly prepared: (sql: string) => StatementSync;
  /** The ids of GPUs by their uuids. */
  readonly gpus: Map<string, number>;
};

/**
 * The market history in a file of its own: it may be lost without harm. Each call opens the file, or begins one, where none is
 * open, so that a disk that is full or read-only for a time stops it for that time. All throw STATE_DIR_UNUSABLE.
 */
export class SqliteMarketHistory implements MarketHistory {
  readonly #options: MarketHistoryOptions;
  readonly #file: string;
  #opened: Opened | undefined;
  #isClosed = false;

  constructor(options: MarketHistoryOptions) {
    this.#options = options;
    this.#file = join(options.directory, MARKET_HISTORY_FILE);
  }

  /** For good. */
  close(): void {
    this.#isClosed = true;
    this.#release();
  }

  *open(): Generator<'long', { readonly open: readonly OpenInterval[]; readonly nextId: number }> {
    const open: OpenInterval[] = [];
    for (let after = -1; ; ) {
      const rows = this.#step(({ prepared }) => openRows.parse(prepared(SELECT_OPEN).all(after)));
      open.push(...rows);
      const last = rows.at(-1);
      if (last === undefined) break;
      after = last.id;
      yield 'long';
    }
    const { id } = this.#step(({ prepared }) =>
      idRow.parse(prepared('SELECT coalesce(max(id), 0) AS id FROM runs').get()),
    );
    return { open, nextId: id + 1 };
  }

  *write(poll: MarketPoll, { began, ended, gpuNames, grew }: MarketChanges): Generator<'long', number> {
    const before = this.#step(({ coverage }) => coverage.lastPoll) ?? poll.at;
    const close = 'UPDATE runs SET last_seen = max(first_seen, ?) WHERE id = ?';
    yield* this.#inBatches(ended, (id, { prepared }) => prepared(close).run(before, id));
    const grow = 'UPDATE runs SET jobs = ? WHERE id = ?';
    yield* this.#inBatches(grew, ({ id, jobs }, { prepared }) => prepared(grow).run(jobs, id));
    const leftOut = yield* this.#begin(began, gpuNames);
    this.#transaction(({ coverage }) => coverage.add(poll));
    yield* this.#makeRoom();
    return leftOut;
  }

  unknownFunctions(limit: number): readonly string[] {
    return this.#step(({ prepared }) =>
      z
        .array(z.object({ uuid: z.string() }))
        .parse(
          prepared('SELECT uuid FROM functions WHERE known_at IS NULL ORDER BY id DESC LIMIT ?').all(limit),
        )
        .map(({ uuid }) => uuid),
    );
  }

  learn(functions: readonly KnownFunction[], at: number): void {
    const update =
      'UPDATE functions SET image = ?, runtime = ?, requires_gpu = ?, known_at = ? WHERE uuid = ?';
    this.#transaction(({ prepared }) => {
      for (const { function: uuid, image, requiresGpu, runtime } of functions)
        prepared(update).run(image, runtime, Number(requiresGpu), at, uuid);
    });
  }

  *writeAsks(asks: readonly AskCount[]): Generator<'long', void> {
    const insert =
      'INSERT INTO asks (at, gpu, ask, offers) VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET offers = offers + excluded.offers';
    yield* this.#inBatches(asks, ({ ask, at, gpu, offers }, { prepared }) =>
      prepared(insert).run(at, gpu, ask, offers),
    );
  }

  *observed(span: TimeSpan, limit: number): Generator<'long', PastRuns> {
    return yield* observedIn((sql, ...values) => this.#all(sql, ...values), {
      span,
      limit,
      lastPoll: this.#step(({ coverage }) => coverage.lastPoll),
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
    return this.#step((opened) => opened.coverage.of(offer, span));
  }

  *histogram(span: TimeSpan): Generator<'long', readonly HistogramRow[]> {
    return yield* histogramOf((sql, ...values) => this.#all(sql, ...values), span);
  }

  /** Answers how many had no room. */
  *#begin(began: readonly NewRun[], gpuNames: MarketChanges['gpuNames']): Generator<'long', number> {
    for (let at = 0; at < began.length; at += BATCH) {
      if (at % (BATCH * ROOM_EVERY) === 0) {
        yield* this.#makeRoom();
        if (this.#step(({ room }) => room.isFull)) return began.length - at;
      }
      this.#transaction((opened) => {
        for (const run of began.slice(at, at + BATCH)) insertRun(opened, run, gpuNames);
      });
      yield 'long';
    }
    return 0;
  }

  *#inBatches<T>(items: readonly T[], work: (item: T, opened: Opened) => unknown): Generator<'long', void> {
    for (let at = 0; at < items.length; at += BATCH) {
      this.#transaction((opened) => {
        for (const item of items.slice(at, at + BATCH)) work(item, opened);
      });
      yield 'long';
    }
  }

  *#makeRoom(): Generator<'long', void> {
    const steps = this.#step(({ room }) => room.make());
    while (this.#step(() => steps.next()).done !== true) yield 'long';
  }

  #all(sql: string, ...values: readonly SQLInputValue[]): readonly unknown[] {
    return this.#step(({ prepared }) => prepared(sql).all(...values));
  }

  #transaction(work: (opened: Opened) => void): void {
    this.#step((opened) => inTransaction(opened.db, () => work(opened)));
  }

  /** After a failure the next step opens the file again: what is remembered of it may not have been written. */
  #step<T>(work: (opened: Opened) => T): T {
    try {
      return work((this.#opened ??= this.#open()));
    } catch (cause) {
      this.#release();
      if (isDamage(cause)) this.#replace();
      throw asHistoryError(cause, this.#file);
    }
  }

  #open(): Opened {
    const { broker, directory, maxBytes, onReplaced } = this.#options;
    if (this.#isClosed) throw new Error('it is closed');
    const { db, replaced } = openFile(directory, broker);
    if (replaced !== undefined) onReplaced(replaced);
    return {
      db,
      room: new Room(db, this.#file, maxBytes),
      coverage: new CoverageTable(db),
      prepared: statementsOf(db),
      gpus: new Map(),
    };
  }

  #release(): void {
    this.#opened?.db.close();
    this.#opened = undefined;
  }

  /** The next step begins a new file. */
  #replace(): void {
    try {
      moveAway(this.#file);
    } catch (cause) {
      throw asHistoryError(cause, this.#file);
    }
    this.#options.onReplaced('it is damaged');
  }
}

function statementsOf(db: DatabaseSync): Opened['prepared'] {
  const prepared = new Map<string, StatementSync>();
  return (sql) => {
    const known = prepared.get(sql);
    if (known !== undefined) return known;
    const statement = db.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };
}

function insertRun(
  opened: Opened,
  { baseGpu, bid, firstSeen, function: uuid, id, jobs, run }: NewRun,
  gpuNames: MarketChanges['gpuNames'],
): void {
  const fn = idRow.parse(
    opened
      .prepared(
        'INSERT INTO functions (uuid, used_at) VALUES (?, ?) ON CONFLICT DO UPDATE SET used_at = excluded.used_at RETURNING id',
      )
      .get(uuid, firstSeen),
  );
  opened
    .prepared(
      'INSERT INTO runs (id, run, function, base_gpu, bid, jobs, first_seen) VALUES (?, ?, ?, ?, ?, ?, ?)',
    )
    .run(
      id,
      run,
      fn.id,
      baseGpu === null ? null : gpuIdOf(opened, baseGpu, gpuNames.get(baseGpu)),
      bid,
      jobs,
      firstSeen,
    );
}

function gpuIdOf({ gpus, prepared }: Opened, uuid: string, name: string | undefined): number {
  const known = gpus.get(uuid);
  if (known !== undefined) return known;
  const { id } = idRow.parse(
    prepared(
      'INSERT INTO gpus (uuid, name) VALUES (?, ?) ON CONFLICT DO UPDATE SET name = coalesce(excluded.name, name) RETURNING id',
    ).get(uuid, name ?? null),
  );
  if (gpus.size >= 10_000) gpus.clear();
  gpus.set(uuid, id);
  return id;
}
