import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { z } from 'zod';
import type { EngineIdentity } from '../domain/engine-identity.ts';
import { AgentError } from '../domain/errors.ts';
import { JOB_STATUS, type JobRecord, type JobState, type JobStateName, type NewJob } from '../domain/job.ts';
import type { NetworkUse } from '../domain/network-use.ts';
import type { Clock } from '../domain/ports/clock.ts';
import type { Journal } from '../domain/ports/journal.ts';
import { asStorageError } from '../domain/storage-error.ts';
import { cut } from '../lib/cut.ts';
import { LIMITS } from '../limits.ts';
import type { Access } from './access.ts';
import { BookedJobs } from './booked-jobs.ts';
import { leaseKey } from './broker-move.ts';
import { EnergyTables } from './energy.ts';
import {
  DELETE_FUNCTION,
  durationRows,
  HAS_JOB_FUNCTIONS,
  LATEST_DURATIONS,
  WRITE_DURATION,
  WRITE_FUNCTION,
} from './function-durations.ts';
import { FunctionOutcomeTable } from './function-outcomes.ts';
import { GpuRollupTables } from './gpu-rollups.ts';
import { ENGINE_KEY, engineRow } from './home.ts';
import { ImageTables } from './image-tables.ts';
import { eventDetail, eventOf, type JobEvent } from './job-history.ts';
import { FOLD, JobList } from './job-list.ts';
import { JobOutputTable } from './job-outputs.ts';
import { boundState, checkTransition, type Row, recordOf } from './job-row.ts';
import { JobSumTables } from './job-sums.ts';
import { JobTotalTable } from './job-totals.ts';
import { Ledger } from './ledger.ts';
import { defineMoney } from './money-functions.ts';
import { NetworkUseTable } from './network-use.ts';
import { OwnJobs } from './own-jobs.ts';
import { PriceTables } from './price-tables.ts';
import { pruneInSteps } from './prune-walks.ts';
import { SqliteDecisions } from './sqlite-decisions.ts';
import { SqliteNotifications } from './sqlite-notifications.ts';

/** What a journal needs. */
export type JournalParts = {
  /** An open database of the newest version. */
  readonly db: DatabaseSync;
  /** For messages. */
  readonly file: string;
  readonly agentId: string;
  /** The broker's URL, because instances and leases are stored per broker. */
  readonly broker: string;
  readonly clock: Clock;
};

const WRITE_META = 'INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)';
const uuidRows = z.array(z.object({ uuid: z.string() }));
const instanceRow = z.object({ instance: z.string() });
const instanceRows = z.array(instanceRow);
const leaseRow = z.object({ value: z.coerce.number() });
const brokerRow = z.object({ broker: z.string() });

/** The journal in SQLite. Each change is one transaction, synced to the disk before the call returns. */
export class SqliteJournal implements Journal {
  readonly agentId: string;
  /** The use of this host's GPUs. */
  readonly gpuRollups: GpuRollupTables;
  readonly decisions: SqliteDecisions;
  readonly notifications: SqliteNotifications;
  readonly sums: JobSumTables;
  readonly totals: JobTotalTable;
  readonly ledger: Ledger;
  readonly bookedJobs: BookedJobs;
  readonly energy: EnergyTables;
  readonly outcomes: FunctionOutcomeTable;
  readonly outputs: JobOutputTable;
  readonly prices: PriceTables;
  /** Jobs without their reports; not for a journal that only an older agent has written. */
  readonly list: JobList;
  /** As `list`. */
  readonly ownJobs: OwnJobs;
  readonly images: ImageTables;
  readonly #parts: JournalParts;
  readonly #network: NetworkUseTable;
  readonly #access: Access;
  /** By SQL text. Cached because SQLite frees a statement only when its object is garbage-collected. */
  readonly #statements = new Map<string, StatementSync>();
  /** The latest claims that the broker rejected, oldest first. */
  readonly #rejected = new Set<string>();

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.agentId = parts.agentId;
    const access: Access = {
      prepared: (sql: string) => this.#prepared(sql),
      write: <T>(work: () => T): T => this.#write(work),
      read: <T>(work: () => T): T => this.#guarded(work),
    };
    this.#access = access;
    this.gpuRollups = new GpuRollupTables(access);
    this.sums = new JobSumTables(access);
    this.totals = new JobTotalTable(access);
    this.ledger = new Ledger(access);
    this.bookedJobs = new BookedJobs(access);
    this.energy = new EnergyTables(access);
    this.outcomes = new FunctionOutcomeTable(access);
    this.outputs = new JobOutputTable(access);
    this.prices = new PriceTables(access);
    this.images = new ImageTables(access);
    this.#network = new NetworkUseTable(access);
    this.list = new JobList(access);
    this.ownJobs = new OwnJobs(access, this.list);
    parts.db.function(FOLD.name, { deterministic: true }, FOLD.of);
    defineMoney(parts.db);
    this.decisions = new SqliteDecisions(access);
    this.notifications = new SqliteNotifications(access);
  }

  instance(offerKey: string): string | undefined {
    const sql = 'SELECT instance FROM instances WHERE broker = ? AND offer_key = ?';
    const row = this.#guarded(() => this.#prepared(sql).get(this.#parts.broker, offerKey));
    return row === undefined ? undefined : instanceRow.parse(row).instance;
  }

  rememberInstance(offerKey: string, instance: string): void {
    const sql = 'INSERT OR REPLACE INTO instances (broker, offer_key, instance) VALUES (?, ?, ?)';
    this.#write(() => this.#prepared(sql).run(this.#parts.broker, offerKey, instance));
  }

  leaseSeconds(): number | undefined {
    const sql = 'SELECT value FROM meta WHERE key = ?';
    const row = this.#guarded(() => this.#prepared(sql).get(this.#leaseKey));
    return row === undefined ? undefined : leaseRow.parse(row).value;
  }

  rememberLease(seconds: number): void {
    this.#write(() => this.#prepared(WRITE_META).run(this.#leaseKey, `${seconds}`));
  }

  engine(): EngineIdentity | undefined {
    const row = this.#guarded(() => this.#prepared('SELECT value FROM meta WHERE key = ?').get(ENGINE_KEY));
    return row === undefined ? undefined : engineRow.parse(row).value;
  }

  rememberEngine(engine: EngineIdentity): void {
    this.#write(() => this.#prepared(WRITE_META).run(ENGINE_KEY, JSON.stringify(engine)));
  }

  insert(job: NewJob, functionUuid?: string, imageRef?: string): JobRecord {
    const functionName = cut(job.functionName, LIMITS.journal.functionName.max);
    return this.#write(() => {
      const old = this.get(job.uuid);
      if (old !== undefined) checkTransition(old, 'claiming');
      const now = this.#parts.clock.now();
      const record: JobRecord = {
        ...job,
        functionName,
        state: { name: 'claiming' },
        claimedAt: now,
        updatedAt: now,
      };
      this.#insert(record);
      this.energy.claimed(record.uuid);
      this.#rejected.delete(record.uuid);
      this.#addEvent(record.uuid, record.state, now);
      if (functionUuid !== undefined) this.#prepared(WRITE_FUNCTION).run(job.uuid, functionUuid, now);
      if (imageRef !== undefined) this.images.keepJob(job.uuid, imageRef);
      return record;
    });
  }

  transition(uuid: string, to: JobState): JobRecord {
    const state = boundState(to);
    return this.#write(() => {
      const old = this.get(uuid);
      if (old === undefined) {
        throw new AgentError(
          'INTERNAL',
          `job ${uuid} is not in the journal, so it cannot become ${state.name}`,
        );
      }
      checkTransition(old, state.name);
      const updatedAt = this.#parts.clock.now();
      this.#prepared('UPDATE jobs SET state = ?, detail = ?, updated_at = ? WHERE uuid = ?').run(
        state.name,
        JSON.stringify(state),
        updatedAt,
        uuid,
      );
      this.#addEvent(uuid, state, updatedAt);
      if (state.name === 'finished') this.outputs.add(uuid, state.report, updatedAt);
      // None of these sums follows from another: see decision 0036.
      this.sums.add(old.state.name, state, updatedAt);
      this.totals.add(old, state);
      this.ledger.add(old, state, updatedAt);
      this.energy.add(old, state, updatedAt);
      // A job that fails says little of how long one takes that does not.
      if (state.name === 'finished' && state.report.status !== JOB_STATUS.FAILED)
        this.#prepared(WRITE_DURATION).run(Math.round(state.durationMs), uuid);
      if (old.state.name === 'claiming' && state.name === 'dropped') this.#keepRejected(uuid);
      return { ...old, state, updatedAt };
    });
  }

  get(uuid: string): JobRecord | undefined {
    const row = this.#guarded(() => this.#prepared('SELECT * FROM jobs WHERE uuid = ?').get(uuid));
    return row === undefined ? undefined : recordOf(row);
  }

  inState(...names: readonly JobStateName[]): readonly JobRecord[] {
    return this.#records(`WHERE state IN (${names.map(() => '?').join()}) ORDER BY seq`, ...names);
  }

  uuidsIn(...names: readonly JobStateName[]): readonly string[] {
    const sql = `SELECT uuid FROM jobs WHERE state IN (${names.map(() => '?').join()}) ORDER BY seq`;
    return uuidRows.parse(this.#guarded(() => this.#prepared(sql).all(...names))).map(({ uuid }) => uuid);
  }

  instancesOf(...names: readonly JobStateName[]): readonly string[] {
    const sql = `SELECT DISTINCT instance FROM jobs WHERE state IN (${names.map(() => '?').join()})`;
    const rows = this.#guarded(() => this.#prepared(sql).all(...names));
    return instanceRows.parse(rows).map(({ instance }) => instance);
  }

  durationsOf(functionUuid: string): readonly number[] {
    const rows = this.#guarded(() =>
      this.#prepared(HAS_JOB_FUNCTIONS).get() === undefined
        ? []
        : this.#prepared(LATEST_DURATIONS).all(functionUuid, LIMITS.journal.durations.max),
    );
    return durationRows.parse(rows).map(({ duration_ms }) => duration_ms);
  }

  history(limit: number): readonly JobRecord[] {
    return [...this.newest(limit)];
  }

  /** The latest `limit` jobs, in any of these states where some are named; newest first, each read when it is asked for. */
  *newest(limit: number, ...names: readonly JobStateName[]): Generator<JobRecord, void> {
    const where = names.length === 0 ? '' : `WHERE state IN (${names.map(() => '?').join()})`;
    const sql = `SELECT * FROM jobs ${where} ORDER BY seq DESC LIMIT ?`;
    const rows = this.#guarded(() => this.#prepared(sql).iterate(...names, limit));
    for (;;) {
      const { done, value } = this.#guarded(() => rows.next());
      if (done === true) return;
      yield recordOf(value);
    }
  }

  /** The uuids that begin with `prefix`, in any case, newest first; at most `limit`. */
  matching(prefix: string, limit: number): readonly string[] {
    return this.list.matching(prefix, limit);
  }

  /** The URL of the broker that a job belongs to. */
  brokerOf(uuid: string): string | undefined {
    const row = this.#guarded(() => this.#prepared('SELECT broker FROM jobs WHERE uuid = ?').get(uuid));
    return row === undefined ? undefined : brokerRow.parse(row).broker;
  }

  /** Every change of a job's state, oldest first, also those of an earlier claim; none for jobs of older agents. */
  events(uuid: string): readonly JobEvent[] {
    const table = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'job_history'";
    const sql = 'SELECT at, state, detail FROM job_history WHERE uuid = ? ORDER BY seq';
    const rows = this.#guarded(() =>
      this.#prepared(table).get() === undefined ? [] : this.#prepared(sql).all(uuid),
    );
    return rows.map(eventOf);
  }

  recordNetworkUse(use: NetworkUse): void {
    this.#network.record(use);
  }

  endNetworkUses(containers: readonly string[], at: number): void {
    this.#network.endOthers(containers, at);
  }

  networkUse(job: Pick<JobRecord, 'claimedAt' | 'uuid'>): NetworkUse | undefined {
    return this.#network.latest(job);
  }

  /** The containers that had the address, or none that is known, at some time from `fromMs` to `toMs`, oldest first. */
  networkUsesAt(address: string | null, fromMs: number, toMs: number): readonly NetworkUse[] {
    return this.#network.at(address, fromMs, toMs);
  }

  /**
   * Deletes the jobs that ended before `beforeMs` of the local wall clock, and what is stored of them; returns how many.
   * The use of GPUs has a history of its own length. A `yield` follows each small transaction, because a journal may have
   * a million jobs.
   */
  pruneInSteps(beforeMs: number): Generator<void, number> {
    return pruneInSteps(this.#access, this.#parts.clock, beforeMs);
  }

  tryWriting(): void {
    this.#write(() => this.#prepared(WRITE_META).run('written', `${this.#parts.clock.now()}`));
  }

  close(): void {
    this.#guarded(() => this.#parts.db.close());
  }

  #prepared(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const made = this.#parts.db.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }

  get #leaseKey(): string {
    return leaseKey(this.#parts.broker);
  }

  /** A job that is claimed again replaces its old entry and becomes the newest. */
  #insert(record: JobRecord): void {
    const { state } = record;
    this.#prepared(
      `INSERT OR REPLACE INTO jobs (
           uuid, broker, run, function_name, offer_key, instance, slot, gpu,
           ask_price, image, timeout_ms, state, detail, claimed_at, updated_at
         ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    ).run(
      record.uuid,
      this.#parts.broker,
      record.run,
      record.functionName,
      record.offerKey,
      record.instance,
      record.slot,
      record.gpu,
      record.askPrice,
      record.image,
      record.timeoutMs,
      state.name,
      JSON.stringify(state),
      record.claimedAt,
      record.updatedAt,
    );
  }

  /** Deletes the oldest rejected claim where there are too many: a broker may reject claims without end. */
  #keepRejected(uuid: string): void {
    this.#rejected.add(uuid);
    const [oldest] = this.#rejected;
    if (oldest === undefined || this.#rejected.size <= LIMITS.journal.rejectedClaims.max) return;
    this.#rejected.delete(oldest);
    this.#prepared('DELETE FROM jobs WHERE uuid = ?').run(oldest);
    this.#prepared('DELETE FROM job_history WHERE uuid = ?').run(oldest);
    this.#prepared(DELETE_FUNCTION).run(oldest);
  }

  #addEvent(uuid: string, state: JobState, at: number): void {
    const sql = 'INSERT INTO job_history (uuid, at, state, detail) VALUES (?, ?, ?, ?)';
    this.#prepared(sql).run(uuid, at, state.name, eventDetail(state));
  }

  #records(where: string, ...values: readonly (string | number)[]): readonly JobRecord[] {
    const rows: readonly Row[] = this.#guarded(() =>
      this.#prepared(`SELECT * FROM jobs ${where}`).all(...values),
    );
    return rows.map(recordOf);
  }

  #write<T>(work: () => T): T {
    const { db } = this.#parts;
    return this.#guarded(() => {
      this.#prepared('BEGIN IMMEDIATE').run();
      try {
        const done = work();
        this.#prepared('COMMIT').run();
        return done;
      } catch (cause) {
        // After some failures, such as a full disk, SQLite has already rolled back.
        if (db.isTransaction) db.exec('ROLLBACK');
        throw cause;
      }
    });
  }

  /** Runs `work` and converts what it throws to an AgentError. */
  #guarded<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw asStorageError(cause, this.#parts.file);
    }
  }
}
