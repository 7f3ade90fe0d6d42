import { statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { type PastReader, readPast } from '../../src/control/market-past.ts';
import { readJournal } from '../../src/journal/open-journal.ts';
import type { JournaledJob } from '../../src/journal/own-jobs.ts';
import { finish } from '../../src/lib/slices.ts';
import { LIMITS } from '../../src/limits.ts';
import { CoverageTable, MARKET } from '../../src/market-history/coverage.ts';
import { observedIn } from '../../src/market-history/reads.ts';
import { APPLICATION_ID, VERSION } from '../../src/market-history/schema.ts';
import type { SeenRun } from '../../src/pricing/backtest/observed.ts';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
/** What others ask for CPU slots is recorded under this name. */
const CPU = 'cpu';

/** What an agent has recorded of a market. Times are milliseconds of the wall clock, at whole hours. */
export type Recording = {
  readonly name: string;
  readonly from: number;
  readonly until: number;
  /** Those that an offer of this kind could take at some ask. */
  readonly runs: readonly SeenRun[];
  /** Of the host that recorded it, as far as its journal is beside the file. */
  readonly jobs: readonly JournaledJob[];
  /** What others asked when they were first looked at, in US dollars per job and minute. */
  readonly others: readonly number[];
  /** The part of the time in which the market was polled, from 0 to 1. */
  readonly coverage: number;
};

/**
 * Reads the last days of a market history, and the journal that lies beside it; changes neither. `gpu`: the catalogue's name of the
 * offer's GPU, or `cpu`; undefined: what most asks were recorded for. Throws where there is no such history.
 */
export function readRecording(file: string, gpu: string | undefined, days: number): Recording {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() !== true) throw new Error(`no such file: ${file}`);
  const db = new DatabaseSync(file, { readOnly: true });
  try {
    checkFormat(db, file);
    const coverage = new CoverageTable(db);
    const { lastPoll } = coverage;
    if (lastPoll === undefined) throw new Error(`${file}: the market was never polled`);
    const until = Math.floor(lastPoll / HOUR_MS) * HOUR_MS;
    const name = gpu === undefined ? (gpusAsked(db)[0] ?? 'gpu') : known(gpu, gpusAsked(db), file);
    const kind = name === CPU ? CPU : 'gpu';
    const reader: PastReader = {
      observed: (span, limit) =>
        observedIn((sql, ...values) => db.prepare(sql).all(...values), { span, limit, lastPoll }),
      coverage: (offer, span) => coverage.of(offer, span),
    };
    const past = finish(
      readPast(reader, { key: MARKET, kind }, until - days * DAY_MS, until, LIMITS.host.backtestRuns.max),
    );
    const from = Math.ceil(Math.max(past.knownFrom, until - days * DAY_MS) / HOUR_MS) * HOUR_MS;
    if (from >= until) throw new Error(`${file}: it knows less than an hour of the market`);
    return {
      name: basename(dirname(file)),
      from,
      until,
      runs: past.runs.filter(({ isUnsuitable, lastSeen }) => isUnsuitable !== true && lastSeen >= from),
      jobs: jobsBeside(file, kind, from, until),
      others: firstAsks(db, name, from),
      coverage: polledMs(db, from, until) / (until - from),
    };
  } finally {
    db.close();
  }
}

function checkFormat(db: DatabaseSync, file: string): void {
  const header = z.object({ application_id: z.literal(APPLICATION_ID) });
  const version = z.object({ user_version: z.number().max(VERSION) });
  if (!header.safeParse(db.prepare('PRAGMA application_id').get()).success)
    throw new Error(`${file}: it is no market history`);
  if (!version.safeParse(db.prepare('PRAGMA user_version').get()).success)
    throw new Error(`${file}: a newer agent has written it`);
}

function jobsBeside(file: string, kind: 'cpu' | 'gpu', from: number, until: number): readonly JournaledJob[] {
  const journal = readJournal(dirname(file));
  if (journal === undefined) return [];
  try {
    return finish(journal.ownJobs.between(from, until)).filter(
      ({ offer }) => (offer === CPU) === (kind === CPU),
    );
  } finally {
    journal.close();
  }
}

const gpuRows = z.array(z.object({ gpu: z.string() }));
const askRows = z.array(z.object({ at: z.number(), ask: z.number(), offers: z.number() }));
const lengthRow = z.object({ ms: z.number() });

/** What asks were recorded for, the commonest first. */
function gpusAsked(db: DatabaseSync): readonly string[] {
  const sql = 'SELECT gpu FROM asks GROUP BY gpu ORDER BY sum(offers) DESC';
  return gpuRows.parse(db.prepare(sql).all()).map(({ gpu }) => gpu);
}

/** Without asks of others the baseline would be another one, and a name that is mistyped has none. */
function known(gpu: string, asked: readonly string[], file: string): string {
  if (gpu !== CPU && asked.length > 0 && !asked.includes(gpu))
    throw new Error(`${file}: nobody asked anything for ${gpu}, only for: ${asked.join(', ')}`);
  return gpu;
}

/** Each offer at the first instant of the time that has any. */
function firstAsks(db: DatabaseSync, gpu: string, from: number): readonly number[] {
  const sql = `SELECT at, ask, offers FROM asks WHERE gpu = ? AND at =
    (SELECT min(at) FROM asks WHERE gpu = ? AND at >= ?)`;
  return askRows
    .parse(db.prepare(sql).all(gpu, gpu, from))
    .flatMap(({ ask, offers }) => Array.from({ length: offers }, () => ask));
}

function polledMs(db: DatabaseSync, from: number, until: number): number {
  const sql = `SELECT total(min(until, ?) - max(since, ?)) AS ms FROM polls
    WHERE offer = ? AND state <> 'offline' AND until > ? AND since < ?`;
  return lengthRow.parse(db.prepare(sql).get(until, from, MARKET, from, until)).ms;
}
