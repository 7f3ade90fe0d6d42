import { asAgentError } from '../../domain/errors.ts';
import { type BrokerJob, JOB_STATUS, type JobRecord, OPEN_STATES } from '../../domain/job.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import { within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { OncePerChange } from '../../lib/once-per-change.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import { restAfter } from '../retry/rest-after.ts';
import { JobLookupQueue } from './job-lookup-queue.ts';

/** How often to reconcile where the broker names no lease; and at most. */
const DEFAULT_EVERY_MS = 30_000;
const MIN_EVERY_MS = 1_000;
/** While no job is open here, there is no lease to renew and little to compare. */
const IDLE_EVERY_MS = 120_000;

/** However short a lease is, the broker may take this long to answer. */
const MIN_TIMEOUT_MS = 10_000;

/** The states of jobs that the broker must list as held here; a job that it has taken back is cancelled. */
const HELD_STATES = ['claimed', 'starting', 'running'] as const;

/** A job whose report is pending needs its lease too: it is paid for only once the report is accepted. */
const LEASED_STATES = [...HELD_STATES, 'finished'] as const;

/** What a job is that the broker assigns to this host and the journal does not know: most likely a copy's. */
const ONE_STATE_DIR =
  'if another agent runs on a copy of this state directory or machine, give it an empty --state-dir';

export type LeaseReconcilerDeps = {
  readonly broker: Pick<Broker, 'heldJobs' | 'job' | 'release'>;
  readonly journal: Pick<
    Journal,
    'get' | 'inState' | 'instancesOf' | 'uuidsIn' | 'leaseSeconds' | 'rememberLease'
  >;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Ends a job that runs here and that the broker has taken back. */
  readonly cancel: (job: string, why: string) => void;
  /** Called after the broker has refused the token. */
  readonly onRefused: () => void;
};

/** When an instance was reconciled last, and before when not again, by the monotonic clock. */
type Turn = { readonly since: number; notBefore: number };

/**
 * Compares the jobs that the broker lists as held here with the journal, which also renews their leases. Renewals wait
 * neither for a look-up of a single job nor for another instance.
 */
export class LeaseReconciler {
  readonly #deps: LeaseReconcilerDeps;
  /** Notified when an instance may be due earlier. */
  readonly #sooner = new Notifier();
  readonly #invalidItems: InvalidItemLog;
  readonly #lookups: JobLookupQueue;
  /** The code of the last failure, by instance. */
  readonly #failures = new OncePerChange();
  #leaseSeconds: number | undefined;
  #isWritten = true;
  /** Whether differences are acted upon. */
  #isRecovered = false;
  /** The instances that hold a job by the journal. */
  #leased: readonly string[] = [];
  /** By instance; one without a turn is due. */
  readonly #turns = new Map<string, Turn>();
  /** By instance: one comparison at a time. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(deps: LeaseReconcilerDeps) {
    this.#deps = deps;
    this.#invalidItems = new InvalidItemLog(deps.log, 'job');
    this.#lookups = new JobLookupQueue(deps);
  }

  /** The broker has named a lease; from now on the shortest counts. */
  lease(seconds: number | undefined): void {
    const shortest = Math.min(seconds ?? Infinity, this.#leaseSeconds ?? Infinity);
    if (shortest < (this.#leaseSeconds ?? Infinity)) {
      this.#leaseSeconds = shortest;
      this.#isWritten = false;
    }
    this.#writeLease();
    this.#sooner.notify();
  }

  /** Reconciles soon: an offer was registered, or there is another token. */
  now(): void {
    this.#turns.clear();
    this.#sooner.notify();
  }

  /**
   * Recovery is completed. Before, leases are renewed and differences ignored: only a job that was adopted can be
   * cancelled, and what is left of a job must be gone before it is released.
   */
  recovered(): void {
    this.#isRecovered = true;
    this.now();
  }

  /**
   * Reconciles until the signal aborts: the instances of all offers, and of all open jobs, whose offer may not be
   * registered now.
   */
  async work(offered: () => readonly string[], signal: AbortSignal): Promise<void> {
    this.#recallLease();
    while (!signal.aborted) await this.#sooner.wait(signal, this.#reconcileDue(offered(), signal));
    await Promise.all([...this.#underWay.values(), this.#lookups.drained()]);
  }

  /** Reconciles each instance that is due; answers in how many milliseconds the next one is. */
  #reconcileDue(offered: readonly string[], signal: AbortSignal): number {
    const leased = this.#leasedNow();
    const everyMs = leased.length === 0 ? IDLE_EVERY_MS : this.#everyMs();
    const now = this.#deps.clock.monotonic();
    let waitMs = IDLE_EVERY_MS;
    for (const instance of new Set([...offered, ...leased])) {
      if (this.#underWay.has(instance)) continue;
      const turn = this.#turns.get(instance);
      const leftMs = turn === undefined ? 0 : Math.max(turn.since + everyMs, turn.notBefore) - now;
      if (leftMs <= 0) this.#underWay.set(instance, this.#turn(instance, signal));
      else waitMs = Math.min(waitMs, leftMs);
    }
    return waitMs;
  }

  /** Reconciles an instance once. Never throws. */
  async #turn(instance: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const turn: Turn = { since: clock.monotonic(), notBefore: 0 };
    this.#turns.set(instance, turn);
    const busyMs = await this.#try(instance, signal);
    // A broker that takes longer than its own lease allows gets a pause all the same.
    // A rest never costs a lease.
    const restMs = Math.min(restAfter(busyMs), this.#everyMs());
    turn.notBefore = clock.monotonic() + Math.max(MIN_EVERY_MS, restMs);
    this.#underWay.delete(instance);
    this.#sooner.notify();
  }

  /** As `#leased`, brought up to date unless the journal cannot be read now. */
  #leasedNow(): readonly string[] {
    try {
      this.#leased = this.#deps.journal.instancesOf(...LEASED_STATES);
    } catch (thrown) {
      const { code, hint, message } = asAgentError(thrown);
      this.#deps.log.error({ event: 'journal-unreadable', code, hint }, `open jobs not read: ${message}`);
    }
    return this.#leased;
  }

  /** Answers how long reading the list kept this process busy, in milliseconds. */
  async #try(instance: string, signal: AbortSignal): Promise<number> {
    try {
      const busyMs = await this.#reconcile(instance, signal);
      this.#failures.forget(instance);
      return busyMs;
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (signal.aborted) return 0;
      // A list that is refused each time, such as one that is too long, renews no lease here; nothing else would say so.
      const isWarned = this.#failures.isNew(error.code, instance) && error.code === 'BROKER_BAD_ANSWER';
      const level = error.code === 'INTERNAL' ? 'error' : isWarned ? 'warn' : 'debug';
      const fields = { event: 'reconciliation-failed', instance, code: error.code };
      this.#deps.log[level](fields, `instance not reconciled: ${error.message}`);
      if (error.code === 'BROKER_UNAUTHORIZED') this.#deps.onRefused();
      return 0;
    }
  }

  /** Compares once and begins to look up what differs; answers as `#try`. Throws where the broker does not answer. */
  async #reconcile(instance: string, signal: AbortSignal): Promise<number> {
    const { broker, journal } = this.#deps;
    const mine = (job: JobRecord): boolean => job.instance === instance;
    // Read before the call: its answer may be wrong about what is claimed or released meanwhile.
    const before = journal.inState(...HELD_STATES).filter(mine);
    const open = new Set(journal.uuidsIn(...OPEN_STATES));
    const list = await broker.heldJobs(instance, this.#inTime(signal));
    const { invalid, items: held } = list;
    this.#invalidItems.log(list);
    for (const job of held) this.lease(job.leaseSeconds);
    if (!this.#isRecovered) return list.busyMs;
    // An invalid item may well be held: its job is neither cancelled nor released.
    const heldUuids = new Set([...held, ...invalid].map((job) => job.uuid));
    const missing = before.filter((job) => !heldUuids.has(job.uuid));
    const unknown = held.filter((job) => !open.has(job.uuid));
    const begin = (job: string, lookUp: () => Promise<void>): void =>
      this.#lookups.begin({ job, instance, lookUp }, signal);
    for (const job of missing) begin(job.uuid, () => this.#confirmLoss(job, this.#inTime(signal)));
    for (const job of unknown) begin(job.uuid, () => this.#releaseLost(job, instance, this.#inTime(signal)));
    return list.busyMs;
  }

  #inTime(signal: AbortSignal): AbortSignal {
    return within(Math.max(this.#everyMs(), MIN_TIMEOUT_MS), signal);
  }

  /** A list may be incomplete: a running job is cancelled only where the broker says so of that very job. */
  async #confirmLoss(record: JobRecord, signal: AbortSignal): Promise<void> {
    const job = await this.#deps.broker.job(record.uuid, signal);
    if (job?.status === JOB_STATUS.IN_PROGRESS && job.instance === record.instance) return;
    const now = this.#deps.journal.get(record.uuid);
    // The answer may be about an earlier claim of the job.
    if (now?.claimedAt !== record.claimedAt || !HELD_STATES.some((name) => name === now.state.name)) return;
    this.#deps.cancel(
      record.uuid,
      job === undefined ? 'the job is gone at the broker' : 'the broker took the job back',
    );
  }

  /** Releases a job that the broker lists as held here and that the journal does not know. */
  async #releaseLost(job: BrokerJob, instance: string, signal: AbortSignal): Promise<void> {
    const { broker, journal, log } = this.#deps;
    const known = journal.get(job.uuid);
    if (known !== undefined && known.state.name !== 'released' && known.state.name !== 'dropped') return;
    const fields = { event: 'unknown-job-released', job: job.uuid, hint: ONE_STATE_DIR };
    log.warn(fields, 'job is held here only by the broker’s account, releasing it');
    await broker.release(job.uuid, instance, signal);
  }

  /** Jobs from before this start keep the lease that was named then. */
  #recallLease(): void {
    try {
      if (this.#leasedNow().length > 0) this.lease(this.#deps.journal.leaseSeconds());
    } catch (thrown) {
      const { code, hint, message } = asAgentError(thrown);
      this.#deps.log.error({ event: 'journal-unreadable', code, hint }, `lease not read: ${message}`);
    }
  }

  /** Writes the lease for the next start; a failed write is repeated the next time. */
  #writeLease(): void {
    if (this.#isWritten || this.#leaseSeconds === undefined) return;
    try {
      this.#deps.journal.rememberLease(this.#leaseSeconds);
      this.#isWritten = true;
    } catch (thrown) {
      const { code, message } = asAgentError(thrown);
      this.#deps.log.debug({ event: 'lease-not-written', code }, `lease not written yet: ${message}`);
    }
  }

  #everyMs(): number {
    const everyMs = this.#leaseSeconds === undefined ? DEFAULT_EVERY_MS : (this.#leaseSeconds * 1000) / 3;
    const boundedMs = Math.max(Math.min(everyMs, DEFAULT_EVERY_MS), MIN_EVERY_MS);
    return Math.round(boundedMs * (0.9 + 0.1 * this.#deps.random()));
  }
}
