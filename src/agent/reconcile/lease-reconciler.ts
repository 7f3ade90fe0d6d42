import { asAgentError } from '../../domain/errors.ts';
import { type BrokerJob, JOB_STATUS, type JobRecord, OPEN_STATES } from '../../domain/job.ts';
import type { Broker } from '../../domain/ports/broker.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import type { Journal } from '../../domain/ports/journal.ts';
import { within } from '../../lib/deadline.ts';
import type { Log } from '../../lib/log.ts';
import { Notifier } from '../../lib/notifier.ts';
import { InvalidItemLog } from '../events/invalid-item-log.ts';
import { JobLookupQueue } from './job-lookup-queue.ts';

/** Where the broker names no lease, it is asked this often what it thinks we hold. */
const DEFAULT_EVERY_MS = 30_000;
const LEAST_EVERY_MS = 1_000;
/** While no job is open here, there is nothing to renew and hardly anything to compare. */
const IDLE_EVERY_MS = 120_000;

/** However short a lease is, a slow broker gets this long for its answers. */
const LEAST_PATIENCE_MS = 10_000;

/** The states of jobs that the broker is to think of as held here, and that end when it does not. */
const HELD_STATES = ['claimed', 'starting', 'running'] as const;

/** A job whose report is owed is the broker's to keep for us too: it is paid for only once that is taken. */
const LEASED_STATES = [...HELD_STATES, 'finished'] as const;

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

/** When an instance was asked about last, in milliseconds of the monotonic clock, and when it may be again. */
type Turn = { readonly since: number; notBefore: number };

/**
 * Compares what the broker thinks this host holds with what it does, which also renews the leases. Renewals wait for
 * nothing: neither for what is to be said about a single job, nor for another instance.
 */
export class LeaseReconciler {
  readonly #deps: LeaseReconcilerDeps;
  /** Rings when there may be something to ask earlier than was thought. */
  readonly #sooner = new Notifier();
  readonly #complaints: InvalidItemLog;
  readonly #polls: JobLookupQueue;
  #leaseSeconds: number | undefined;
  #isWritten = true;
  /** Whether what the broker says is acted upon. */
  #isRecovered = false;
  /** The instances that hold a job by our own account. */
  #leased: readonly string[] = [];
  /** By instance; none where it is to be asked about as soon as may be. */
  readonly #turns = new Map<string, Turn>();
  /** The questions that are under way, by instance: one each. */
  readonly #asking = new Map<string, Promise<void>>();

  constructor(deps: LeaseReconcilerDeps) {
    this.#deps = deps;
    this.#complaints = new InvalidItemLog(deps.log, 'job');
    this.#polls = new JobLookupQueue(deps);
  }

  /** A job is held, under the lease that the broker named; the shortest counts, from now on. */
  lease(seconds: number | undefined): void {
    const shortest = Math.min(seconds ?? Infinity, this.#leaseSeconds ?? Infinity);
    if (shortest < (this.#leaseSeconds ?? Infinity)) {
      this.#leaseSeconds = shortest;
      this.#isWritten = false;
    }
    this.#writeLease();
    this.#sooner.notify();
  }

  /** Reconciles as soon as may be: an offer has come up, or there is another token. */
  now(): void {
    this.#turns.clear();
    this.#sooner.notify();
  }

  /**
   * The journal and the engine agree, and the lifecycles of all open jobs are told again. Before, leases are renewed and
   * nothing else: who is told to stop a job must be there to hear it, and what was left of a job must be gone before
   * that is given back. What the broker said until then it is asked again.
   */
  recovered(): void {
    this.#isRecovered = true;
    this.now();
  }

  /**
   * Reconciles at once, and then again and again until the signal aborts: the instances of all offers, and of all
   * jobs that are open here, also where their offer is not up.
   */
  async work(offered: () => readonly string[], signal: AbortSignal): Promise<void> {
    this.#recallLease();
    while (!signal.aborted) await this.#sooner.wait(signal, this.#askWhatIsDue(offered(), signal));
    await Promise.all([...this.#asking.values(), this.#polls.drained()]);
  }

  /** Repricer about each instance that is due, and answers in how many milliseconds to see again, if nothing rings. */
  #askWhatIsDue(offered: readonly string[], signal: AbortSignal): number {
    const leased = this.#leasedNow();
    const everyMs = leased.length === 0 ? IDLE_EVERY_MS : this.#everyMs();
    const now = this.#deps.clock.monotonic();
    let waitMs = IDLE_EVERY_MS;
    for (const instance of new Set([...offered, ...leased])) {
      if (this.#asking.has(instance)) continue;
      const turn = this.#turns.get(instance);
      const leftMs = turn === undefined ? 0 : Math.max(turn.since + everyMs, turn.notBefore) - now;
      if (leftMs <= 0) this.#asking.set(instance, this.#turn(instance, signal));
      else waitMs = Math.min(waitMs, leftMs);
    }
    return waitMs;
  }

  /** Repricer about an instance once. Never throws. */
  async #turn(instance: string, signal: AbortSignal): Promise<void> {
    const { clock } = this.#deps;
    const turn: Turn = { since: clock.monotonic(), notBefore: 0 };
    this.#turns.set(instance, turn);
    await this.#try(instance, signal);
    // A broker that takes longer than its own lease allows is let breathe all the same.
    turn.notBefore = clock.monotonic() + LEAST_EVERY_MS;
    this.#asking.delete(instance);
    this.#sooner.notify();
  }

  /** The instances that hold a job by our own account; a journal that cannot be read for a moment changes nothing. */
  #leasedNow(): readonly string[] {
    try {
      this.#leased = this.#deps.journal.instancesOf(...LEASED_STATES);
    } catch (thrown) {
      const error = asAgentError(thrown);
      this.#deps.log.error({ code: error.code, hint: error.hint }, `open jobs not read: ${error.message}`);
    }
    return this.#leased;
  }

  async #try(instance: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#reconcile(instance, signal);
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (signal.aborted) return;
      const level = error.code === 'INTERNAL' ? 'error' : 'debug';
      this.#deps.log[level]({ code: error.code }, `not reconciled: ${error.message}`);
      if (error.code === 'BROKER_UNAUTHORIZED') this.#deps.onRefused();
    }
  }

  /** One comparison; what is to be done about single jobs is begun. Throws where the broker does not answer. */
  async #reconcile(instance: string, signal: AbortSignal): Promise<void> {
    const { broker, journal } = this.#deps;
    const mine = (job: JobRecord): boolean => job.instance === instance;
    // Taken before the question is asked: what is claimed or given back meanwhile may be told wrongly by the answer.
    const before = journal.inState(...HELD_STATES).filter(mine);
    const open = new Set(journal.uuidsIn(...OPEN_STATES));
    const { invalid, items: held } = await broker.heldJobs(instance, this.#inTime(signal));
    this.#complaints.log(invalid);
    for (const job of held) this.lease(job.leaseSeconds);
    if (!this.#isRecovered) return;
    // What cannot be read may well be held: it is neither stopped nor given back.
    const heldUuids = new Set([...held, ...invalid].map((job) => job.uuid));
    const missing = before.filter((job) => !heldUuids.has(job.uuid));
    const unknown = held.filter((job) => !open.has(job.uuid));
    const begin = (job: string, look: () => Promise<void>): void =>
      this.#polls.begin({ job, instance, look }, signal);
    for (const job of missing) begin(job.uuid, () => this.#confirmLoss(job, this.#inTime(signal)));
    for (const job of unknown) begin(job.uuid, () => this.#releaseLost(job, instance, this.#inTime(signal)));
  }

  #inTime(signal: AbortSignal): AbortSignal {
    return within(Math.max(this.#everyMs(), LEAST_PATIENCE_MS), signal);
  }

  /** A broker may list less than it should; a running job is only given up on its word about that very job. */
  async #confirmLoss(record: JobRecord, signal: AbortSignal): Promise<void> {
    const job = await this.#deps.broker.job(record.uuid, signal);
    if (job?.status === JOB_STATUS.IN_PROGRESS && job.instance === record.instance) return;
    const now = this.#deps.journal.get(record.uuid);
    // The answer may have taken so long that it is about an earlier claim of the job.
    if (now?.claimedAt !== record.claimedAt || !HELD_STATES.some((name) => name === now.state.name)) return;
    this.#deps.cancel(
      record.uuid,
      job === undefined ? 'the job is gone at the broker' : 'the broker took the job back',
    );
  }

  /** Gives back a job that the broker thinks is here and that never was. */
  async #releaseLost(job: BrokerJob, instance: string, signal: AbortSignal): Promise<void> {
    const { broker, journal, log } = this.#deps;
    const known = journal.get(job.uuid);
    if (known !== undefined && known.state.name !== 'released' && known.state.name !== 'dropped') return;
    log.warn({ job: job.uuid }, 'the broker thinks that this job is here; it is not, so it is released');
    await broker.release(job.uuid, instance, signal);
  }

  /** Jobs from before this start are held under the lease that was named then. */
  #recallLease(): void {
    try {
      if (this.#leasedNow().length > 0) this.lease(this.#deps.journal.leaseSeconds());
    } catch (thrown) {
      const error = asAgentError(thrown);
      this.#deps.log.error({ code: error.code, hint: error.hint }, `lease not read: ${error.message}`);
    }
  }

  /** Keeps the lease for the next start; what cannot be written now is written the next time. */
  #writeLease(): void {
    if (this.#isWritten || this.#leaseSeconds === undefined) return;
    try {
      this.#deps.journal.rememberLease(this.#leaseSeconds);
      this.#isWritten = true;
    } catch (thrown) {
      const error = asAgentError(thrown);
      this.#deps.log.debug({ code: error.code }, `lease not written down yet: ${error.message}`);
    }
  }

  #everyMs(): number {
    const everyMs = this.#leaseSeconds === undefined ? DEFAULT_EVERY_MS : (this.#leaseSeconds * 1000) / 3;
    const boundedMs = Math.max(Math.min(everyMs, DEFAULT_EVERY_MS), LEAST_EVERY_MS);
    return Math.round(boundedMs * (0.9 + 0.1 * this.#deps.random()));
  }
}
