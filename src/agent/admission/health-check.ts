import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { type BackoffShape, backoffMs } from '../../lib/backoff.ts';
import { Notifier } from '../../lib/notifier.ts';
import { SingleFlight } from '../../lib/single-flight.ts';
import { sleep } from '../../lib/sleep.ts';

/** Times in milliseconds. */
export type HealthCheckOptions = {
  /** Throws where the resource is unhealthy. Settles within a few seconds. */
  readonly check: () => Promise<void>;
  /** A claim needs a check that is no older than this; Infinity: only after a failed call. */
  readonly maxAgeMs: number;
  /** How often to check while the resource is in use, so that no outage goes unnoticed; undefined: never. */
  readonly intervalMs: number | undefined;
  /** A check does not count for so long after a failed call. Longer than the wait of what is retried. */
  readonly cooldownMs: number;
  /** The waits between checks while unhealthy. */
  readonly again: BackoffShape;
  readonly inUse: () => boolean;
  /** Nothing counts after it has aborted. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'monotonic'>;
  readonly random: () => number;
  /** Called when the resource becomes unhealthy, and when it is healthy again. */
  readonly onChange: () => void;
  /** Called when the resource is healthy again, after `onChange`. */
  readonly onBack: () => void;
};

/**
 * The health of a resource that claims need: the engine, or the state directory. A failed call makes it suspect, and a
 * check decides. It is checked again and again while it is unhealthy.
 */
export class HealthCheck {
  readonly #options: HealthCheckOptions;
  readonly #suspicion = new Notifier();
  readonly #checks = new SingleFlight<void>();
  /** The first failure since the last check that counts. */
  #suspect: AgentError | undefined;
  /** Set once a check has failed, or once calls keep failing although it succeeds. */
  #unhealthy: AgentError | undefined;
  #unhealthySince = 0;
  #lastFailedCheck = Number.NEGATIVE_INFINITY;
  #lastFailedCall = Number.NEGATIVE_INFINITY;
  #lastHealthy = Number.NEGATIVE_INFINITY;

  constructor(options: HealthCheckOptions) {
    this.#options = options;
  }

  /** Why it is unhealthy; undefined where it is healthy as far as is known. */
  get error(): AgentError | undefined {
    return this.#unhealthy;
  }

  /** 0 while it is healthy. */
  get unhealthyForMs(): number {
    return this.#unhealthy === undefined ? 0 : this.#now() - this.#unhealthySince;
  }

  /** A call that needs the resource has succeeded. */
  recordSuccess(): void {
    if (this.#suspect === undefined) this.#lastHealthy = this.#now();
  }

  /** A call that needs the resource has failed, perhaps because of it. */
  recordFailure(error: AgentError): void {
    this.#lastFailedCall = this.#now();
    this.#suspect ??= error;
    this.#suspicion.notify();
  }

  /** Checks first where the last check is too old, or where a call has failed since. */
  async isHealthyNow(): Promise<boolean> {
    const isStale = this.#now() - this.#lastHealthy > this.#options.maxAgeMs;
    if (this.#suspect !== undefined || isStale) await this.#check();
    return this.#suspect === undefined;
  }

  /** Whether a check has failed since `since`, by the monotonic clock. Checks first where a call has failed. */
  async failedSince(since: number): Promise<boolean> {
    if (this.#suspect !== undefined) await this.#check();
    return this.#lastFailedCheck >= since;
  }

  /** Checks in the background until the signal aborts. */
  async work(): Promise<void> {
    const { again, intervalMs, inUse, random, signal } = this.#options;
    for (let attempt = 0; !signal.aborted; ) {
      if (this.#suspect === undefined) {
        attempt = 0;
        await this.#suspicion.wait(signal, intervalMs);
        if (inUse() && !signal.aborted) await this.isHealthyNow();
      } else {
        await this.#check();
        attempt += 1;
        if (this.#suspect !== undefined) await sleep(backoffMs(again, attempt, random), signal);
      }
    }
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  /** One check at a time, shared by all callers. */
  #check(): Promise<void> {
    return this.#checks.run('check', () => this.#checkNow());
  }

  async #checkNow(): Promise<void> {
    const began = this.#now();
    try {
      await this.#options.check();
    } catch (thrown) {
      if (this.#options.signal.aborted) return;
      const error = asAgentError(thrown);
      this.#lastFailedCheck = this.#now();
      this.#suspect ??= error;
      this.#suspicion.notify();
      return this.#markUnhealthy(error);
    }
    if (this.#suspect === undefined) {
      this.#lastHealthy = began;
    } else if (began - this.#lastFailedCall < this.#options.cooldownMs) {
      this.#markUnhealthy(this.#suspect);
    } else {
      this.#lastHealthy = began;
      this.#markHealthy();
    }
  }

  #markUnhealthy(error: AgentError): void {
    const wasHealthy = this.#unhealthy === undefined;
    if (wasHealthy) this.#unhealthySince = this.#now();
    this.#unhealthy = error;
    if (wasHealthy) this.#options.onChange();
  }

  #markHealthy(): void {
    const wasHealthy = this.#unhealthy === undefined;
    this.#suspect = undefined;
    this.#unhealthy = undefined;
    if (wasHealthy) return;
    this.#options.onChange();
    this.#options.onBack();
  }
}
