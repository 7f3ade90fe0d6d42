import PQueue from 'p-queue';
import { asAgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';
import { LIMITS } from '../../limits.ts';

/** How many jobs of an instance are looked up at once, so that connections are left for all else. */
const AT_ONCE = 4;

/** After so many failures in a row about one job, the next is logged as a warning, once. */
const WARN_AFTER = 3;

export type JobLookup = {
  readonly job: string;
  readonly instance: string;
  readonly lookUp: () => Promise<void>;
};

/**
 * Looks up single jobs at the broker in the background, a few per instance at a time: one without an answer delays
 * neither the caller nor, for long, other jobs.
 */
export class JobLookupQueue {
  readonly #log: Log;
  readonly #onRefused: () => void;
  readonly #queues = new Map<string, PQueue>();
  /** The jobs that are being looked up, or wait for that. */
  readonly #begun = new Set<string>();
  /** Failures in a row, by job. */
  readonly #failures = new Map<string, number>();

  constructor(deps: {
    readonly log: Log;
    /** Called after the broker has refused the token. */
    readonly onRefused: () => void;
  }) {
    this.#log = deps.log;
    this.#onRefused = deps.onRefused;
  }

  /** Looks a job up soon, unless that is under way or the signal aborts. */
  begin({ instance, job, lookUp }: JobLookup, signal: AbortSignal): void {
    if (this.#begun.has(job) || this.#begun.size >= LIMITS.broker.jobLookUps.max) return;
    this.#begun.add(job);
    const queue = this.#queues.get(instance) ?? new PQueue({ concurrency: AT_ONCE });
    this.#queues.set(instance, queue);
    void queue.add(async () => {
      if (!signal.aborted) await this.#lookUp(job, lookUp, signal);
      this.#begun.delete(job);
    });
  }

  /** Settles once no look-up is under way. */
  async drained(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.onIdle()));
  }

  /** Looks up one job; a failure is only logged. */
  async #lookUp(job: string, lookUp: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await lookUp();
      this.#failures.delete(job);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asAgentError(thrown);
      const times = (this.#failures.get(job) ?? 0) + 1;
      if (this.#failures.size > LIMITS.broker.jobLookUps.max) this.#failures.clear();
      this.#failures.set(job, times);
      const level = error.code === 'INTERNAL' ? 'error' : times === WARN_AFTER ? 'warn' : 'debug';
      const fields = { event: 'job-lookup-failed', job, code: error.code, times };
      this.#log[level](fields, `job not looked up: ${error.message}`);
      if (error.code === 'BROKER_UNAUTHORIZED') this.#onRefused();
    }
  }
}
