import PQueue from 'p-queue';
import { asAgentError } from '../../domain/errors.ts';
import type { Log } from '../../lib/log.ts';

/** So many jobs of an instance are looked into at once: few enough that connections are left for all else. */
const AT_ONCE = 4;

/** A job about which the broker fails this often in a row is told at warn, once. */
const TOLD_AFTER = 3;

/** The broker decides how many jobs there are: what waits and what is remembered is bounded. */
const MOST = 10_000;

/** A look into one job. */
export type JobLookup = {
  readonly job: string;
  readonly instance: string;
  readonly look: () => Promise<void>;
};

/**
 * Looks into single jobs at the broker, beside everything else: a job about which it does not answer holds up neither
 * whoever has it looked into nor, but for a while, the other jobs.
 */
export class JobLookupQueue {
  readonly #log: Log;
  readonly #onRefused: () => void;
  readonly #queues = new Map<string, PQueue>();
  /** The jobs that are looked into, or wait for that. */
  readonly #begun = new Set<string>();
  /** How often in a row the broker failed about a job. */
  readonly #failures = new Map<string, number>();

  constructor(deps: {
    readonly log: Log;
    /** Called after the broker has refused the token. */
    readonly onRefused: () => void;
  }) {
    this.#log = deps.log;
    this.#onRefused = deps.onRefused;
  }

  /** Looks into a job soon, unless that is under way; with the signal aborted not any more. */
  begin({ instance, job, look }: JobLookup, signal: AbortSignal): void {
    if (this.#begun.has(job) || this.#begun.size >= MOST) return;
    this.#begun.add(job);
    const queue = this.#queues.get(instance) ?? new PQueue({ concurrency: AT_ONCE });
    this.#queues.set(instance, queue);
    void queue.add(async () => {
      if (!signal.aborted) await this.#each(job, look, signal);
      this.#begun.delete(job);
    });
  }

  /** Settles once no look is under way. */
  async drained(): Promise<void> {
    await Promise.all([...this.#queues.values()].map((queue) => queue.onIdle()));
  }

  /** Looks into one job; that the broker fails about it is told, and no matter of the others. */
  async #each(job: string, look: () => Promise<void>, signal: AbortSignal): Promise<void> {
    try {
      await look();
      this.#failures.delete(job);
    } catch (thrown) {
      if (signal.aborted) return;
      const error = asAgentError(thrown);
      const times = (this.#failures.get(job) ?? 0) + 1;
      if (this.#failures.size > MOST) this.#failures.clear();
      this.#failures.set(job, times);
      const level = error.code === 'INTERNAL' ? 'error' : times === TOLD_AFTER ? 'warn' : 'debug';
      this.#log[level]({ job, code: error.code, times }, `job not reconciled: ${error.message}`);
      if (error.code === 'BROKER_UNAUTHORIZED') this.#onRefused();
    }
  }
}
