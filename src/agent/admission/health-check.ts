import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { type BackoffShape, backoffMs } from '../../lib/backoff.ts';
import { Notifier } from '../../lib/notifier.ts';
import { sleep } from '../../lib/sleep.ts';

/** What a footing is made of. Times in milliseconds. */
export type HealthCheckOptions = {
  /** Shows that it isHealthyNow; throws where it does not. Settles within a few seconds. */
  readonly check: () => Promise<void>;
  /** A proof that is older than this is renewed before a claim; Infinity: only what failed is to be proven. */
  readonly maxAgeMs: number;
  /** While work rests on it, it is proven this often, so that no outage passes unseen; undefined: never. */
  readonly intervalMs: number | undefined;
  /** For so long after a failed call a proof alone is not believed: what fails is tried again more often than that. */
  readonly cooldownMs: number;
  /** The waits between proofs while it does not carry. */
  readonly again: BackoffShape;
  /** Whether work rests on it now. */
  readonly inUse: () => boolean;
  /** After it has aborted nothing counts any more. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called when it has given way and when it isHealthyNow again. */
  readonly onChange: () => void;
  /** Called when it isHealthyNow again, after `onChange`. */
  readonly onBack: () => void;
};

/**
 * Something that claims stand on and that can give way: the engine, the state directory. A call that fails is only
 * a suspicion; a proof tells. Proves again and again while it does not carry.
 */
export class HealthCheck {
  readonly #parts: HealthCheckOptions;
  readonly #wake = new Notifier();
  #suspected: AgentError | undefined;
  /** Set once a proof has failed, or calls go on failing although it does not. */
  #unhealthy: AgentError | undefined;
  #lostSince = 0;
  #lastLost = Number.NEGATIVE_INFINITY;
  #lastFailed = Number.NEGATIVE_INFINITY;
  #lastProven = Number.NEGATIVE_INFINITY;
  #checking: Promise<void> | undefined;

  constructor(parts: HealthCheckOptions) {
    this.#parts = parts;
  }

  /** Why it does not carry; undefined where it does, as far as is known. */
  get error(): AgentError | undefined {
    return this.#unhealthy;
  }

  /** How long it has been lost, in milliseconds; 0 where it isHealthyNow. */
  get unhealthyForMs(): number {
    return this.#unhealthy === undefined ? 0 : this.#now() - this.#lostSince;
  }

  /** A call that rests on it has worked. */
  recordSuccess(): void {
    if (this.#suspected === undefined) this.#lastProven = this.#now();
  }

  /** A call that rests on it has failed, and it may be the cause. */
  recordFailure(error: AgentError): void {
    this.#lastFailed = this.#now();
    this.#suspected ??= error;
    this.#wake.notify();
  }

  /** Whether it isHealthyNow, with a proof where the last is too old or a call has failed since. */
  async isHealthyNow(): Promise<boolean> {
    const stale = this.#now() - this.#lastProven > this.#parts.maxAgeMs;
    if (this.#suspected !== undefined || stale) await this.#check();
    return this.#suspected === undefined;
  }

  /** Whether a proof has failed since that moment of the monotonic clock; waits for the proof that is due now. */
  async failedSince(bootTime: number): Promise<boolean> {
    if (this.#suspected !== undefined) await this.#check();
    return this.#lastLost >= bootTime;
  }

  /** Looks after it until the signal aborts. */
  async work(): Promise<void> {
    const { again, intervalMs, inUse, random, signal } = this.#parts;
    for (let attempt = 0; !signal.aborted; ) {
      if (this.#suspected === undefined) {
        attempt = 0;
        await this.#wake.wait(signal, intervalMs);
        if (inUse() && !signal.aborted) await this.isHealthyNow();
      } else {
        await this.#check();
        attempt += 1;
        if (this.#suspected !== undefined) await sleep(backoffMs(again, attempt, random), signal);
      }
    }
  }

  #now(): number {
    return this.#parts.clock.monotonic();
  }

  /** One proof at a time, whoever asks for it. */
  #check(): Promise<void> {
    this.#checking ??= this.#proveNow().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  async #proveNow(): Promise<void> {
    const began = this.#now();
    try {
      await this.#parts.check();
    } catch (thrown) {
      if (this.#parts.signal.aborted) return;
      const error = asAgentError(thrown);
      this.#lastLost = this.#now();
      this.#suspected ??= error;
      this.#wake.notify();
      return this.#markUnhealthy(error);
    }
    if (this.#suspected === undefined) {
      this.#lastProven = began;
    } else if (began - this.#lastFailed < this.#parts.cooldownMs) {
      this.#markUnhealthy(this.#suspected);
    } else {
      this.#lastProven = began;
      this.#markHealthy();
    }
  }

  #markUnhealthy(error: AgentError): void {
    if (this.#unhealthy === undefined) this.#lostSince = this.#now();
    const before = this.#unhealthy;
    this.#unhealthy = error;
    if (before === undefined) this.#parts.onChange();
  }

  #markHealthy(): void {
    const { onBack, onChange } = this.#parts;
    const wasLost = this.#unhealthy !== undefined;
    this.#suspected = undefined;
    this.#unhealthy = undefined;
    if (!wasLost) return;
    onChange();
    onBack();
  }
}
