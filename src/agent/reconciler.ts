import { asAgentError } from '../domain/errors.ts';
import { type BrokerJob, JOB_STATUS, type JobRecord } from '../domain/job.ts';
import type { Broker, Clock, Journal } from '../domain/ports.ts';
import type { Log } from '../lib/log.ts';
import { within } from '../lib/within.ts';
import { Wake } from './wake.ts';

/** Where the broker names no lease, it is asked this often what it thinks we hold. */
const DEFAULT_EVERY_MS = 30_000;
const LEAST_EVERY_MS = 1_000;
/** While no job is open here, there is nothing to renew and hardly anything to compare. */
const IDLE_EVERY_MS = 120_000;

/** The states of jobs that the broker is to think of as held here. */
const HELD_STATES = ['claimed', 'starting', 'running'] as const;

export type ReconcilerDeps = {
  readonly broker: Pick<Broker, 'heldJobs' | 'job' | 'release'>;
  readonly journal: Pick<Journal, 'get' | 'inState' | 'uuidsIn'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly random: () => number;
  /** Ends a job that runs here and that the broker has taken back. */
  readonly cancel: (job: string, why: string) => void;
};

/** Compares what the broker thinks this host holds with what it does, which also renews the leases. */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #sooner = new Wake();
  #leaseSeconds: number | undefined;
  #isAsked = false;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
  }

  /** A job is held, under the lease that the broker named; the shortest counts, from now on. */
  lease(seconds: number | undefined): void {
    if (seconds !== undefined) this.#leaseSeconds = Math.min(seconds, this.#leaseSeconds ?? seconds);
    this.#sooner.ring();
  }

  /** Reconciles as soon as may be: an offer has come up. */
  now(): void {
    this.#isAsked = true;
    this.#sooner.ring();
  }

  /**
   * Reconciles at once, and then again and again until the signal aborts: the instances of all offers, and of all
   * jobs that are open here, also where their offer is not up.
   */
  async work(offered: () => readonly string[], signal: AbortSignal): Promise<void> {
    for (; !signal.aborted; await this.#untilDue(signal)) {
      this.#isAsked = false;
      const open = this.#deps.journal.inState(...HELD_STATES).map((job) => job.instance);
      const instances = new Set([...offered(), ...open]);
      await Promise.all([...instances].map((instance) => this.#try(instance, signal)));
    }
  }

  /** Waits for the next turn, which comes sooner once a job is held. */
  async #untilDue(signal: AbortSignal): Promise<void> {
    const { clock, journal } = this.#deps;
    const since = clock.monotonic();
    while (!signal.aborted && !this.#isAsked) {
      const isIdle = journal.uuidsIn(...HELD_STATES).length === 0;
      const leftMs = since + (isIdle ? IDLE_EVERY_MS : this.#everyMs()) - clock.monotonic();
      if (leftMs <= 0) return;
      await this.#sooner.wait(signal, leftMs);
    }
  }

  async #try(instance: string, signal: AbortSignal): Promise<void> {
    try {
      await this.reconcile(instance, within(this.#everyMs(), signal));
    } catch (thrown) {
      const error = asAgentError(thrown);
      if (signal.aborted) return;
      const level = error.code === 'INTERNAL' ? 'error' : 'debug';
      this.#deps.log[level]({ code: error.code }, `not reconciled: ${error.message}`);
    }
  }

  /** One comparison. Throws where the broker does not answer. */
  async reconcile(instance: string, signal: AbortSignal): Promise<void> {
    const { broker, journal } = this.#deps;
    const mine = (job: JobRecord): boolean => job.instance === instance;
    // Taken before the question is asked: what is claimed meanwhile cannot be in the answer.
    const before = journal.inState(...HELD_STATES).filter(mine);
    const held = await broker.heldJobs(instance, signal);
    for (const job of held) this.lease(job.leaseSeconds);
    const heldUuids = new Set(held.map((job) => job.uuid));
    for (const job of before) {
      if (!heldUuids.has(job.uuid)) await this.#confirmLoss(job, signal);
    }
    for (const job of held) await this.#releaseLost(job, instance, signal);
  }

  /** A broker may list less than it should; a running job is only given up on its word about that very job. */
  async #confirmLoss(record: JobRecord, signal: AbortSignal): Promise<void> {
    const job = await this.#deps.broker.job(record.uuid, signal);
    if (job?.status === JOB_STATUS.IN_PROGRESS && job.instance === record.instance) return;
    const now = this.#deps.journal.get(record.uuid);
    if (now === undefined || !HELD_STATES.some((name) => name === now.state.name)) return;
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

  #everyMs(): number {
    const everyMs = this.#leaseSeconds === undefined ? DEFAULT_EVERY_MS : (this.#leaseSeconds * 1000) / 3;
    const boundedMs = Math.max(Math.min(everyMs, DEFAULT_EVERY_MS), LEAST_EVERY_MS);
    return Math.round(boundedMs * (0.9 + 0.1 * this.#deps.random()));
  }
}
