import { type AgentError, asAgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports.ts';
import { type BackoffShape, backoffMs } from '../../lib/backoff.ts';
import { Wake } from '../../lib/notifier.ts';
import { sleep } from '../../lib/sleep.ts';

/** What a footing is made of. Times in milliseconds. */
export type FootingParts = {
  /** Shows that it carries; throws where it does not. Settles within a few seconds. */
  readonly prove: () => Promise<void>;
  /** A proof that is older than this is renewed before a claim; Infinity: only what failed is to be proven. */
  readonly freshMs: number;
  /** While work rests on it, it is proven this often, so that no outage passes unseen; undefined: never. */
  readonly beatMs: number | undefined;
  /** For so long after a failed call a proof alone is not believed: what fails is tried again more often than that. */
  readonly calmMs: number;
  /** The waits between proofs while it does not carry. */
  readonly again: BackoffShape;
  /** Whether work rests on it now. */
  readonly inUse: () => boolean;
  /** After it has aborted nothing counts any more. */
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called when it has given way and when it carries again. */
  readonly onChange: () => void;
  /** Called when it carries again, after `onChange`. */
  readonly onBack: () => void;
};

/**
 * Something that claims stand on and that can give way: the engine, the state directory. A call that fails is only
 * a suspicion; a proof tells. Proves again and again while it does not carry.
 */
export class Footing {
  readonly #parts: FootingParts;
  readonly #wake = new Wake();
  #suspicion: AgentError | undefined;
  /** Set once a proof has failed, or calls go on failing although it does not. */
  #lost: AgentError | undefined;
  #lostSince = 0;
  #lastLost = Number.NEGATIVE_INFINITY;
  #lastFailed = Number.NEGATIVE_INFINITY;
  #lastProven = Number.NEGATIVE_INFINITY;
  #proving: Promise<void> | undefined;

  constructor(parts: FootingParts) {
    this.#parts = parts;
  }

  /** Why it does not carry; undefined where it does, as far as is known. */
  get lost(): AgentError | undefined {
    return this.#lost;
  }

  /** How long it has been lost, in milliseconds; 0 where it carries. */
  get lostForMs(): number {
    return this.#lost === undefined ? 0 : this.#now() - this.#lostSince;
  }

  /** A call that rests on it has worked. */
  worked(): void {
    if (this.#suspicion === undefined) this.#lastProven = this.#now();
  }

  /** A call that rests on it has failed, and it may be the cause. */
  failed(error: AgentError): void {
    this.#lastFailed = this.#now();
    this.#suspicion ??= error;
    this.#wake.ring();
  }

  /** Whether it carries, with a proof where the last is too old or a call has failed since. */
  async carries(): Promise<boolean> {
    const stale = this.#now() - this.#lastProven > this.#parts.freshMs;
    if (this.#suspicion !== undefined || stale) await this.#prove();
    return this.#suspicion === undefined;
  }

  /** Whether a proof has failed since that moment of the monotonic clock; waits for the proof that is due now. */
  async gaveWaySince(moment: number): Promise<boolean> {
    if (this.#suspicion !== undefined) await this.#prove();
    return this.#lastLost >= moment;
  }

  /** Looks after it until the signal aborts. */
  async work(): Promise<void> {
    const { again, beatMs, inUse, random, signal } = this.#parts;
    for (let attempt = 0; !signal.aborted; ) {
      if (this.#suspicion === undefined) {
        attempt = 0;
        await this.#wake.wait(signal, beatMs);
        if (inUse() && !signal.aborted) await this.carries();
      } else {
        await this.#prove();
        attempt += 1;
        if (this.#suspicion !== undefined) await sleep(backoffMs(again, attempt, random), signal);
      }
    }
  }

  #now(): number {
    return this.#parts.clock.monotonic();
  }

  /** One proof at a time, whoever asks for it. */
  #prove(): Promise<void> {
    this.#proving ??= this.#proveNow().finally(() => {
      this.#proving = undefined;
    });
    return this.#proving;
  }

  async #proveNow(): Promise<void> {
    const began = this.#now();
    try {
      await this.#parts.prove();
    } catch (thrown) {
      if (this.#parts.signal.aborted) return;
      const error = asAgentError(thrown);
      this.#lastLost = this.#now();
      this.#suspicion ??= error;
      this.#wake.ring();
      return this.#lose(error);
    }
    if (this.#suspicion === undefined) {
      this.#lastProven = began;
    } else if (began - this.#lastFailed < this.#parts.calmMs) {
      this.#lose(this.#suspicion);
    } else {
      this.#lastProven = began;
      this.#regain();
    }
  }

  #lose(error: AgentError): void {
    if (this.#lost === undefined) this.#lostSince = this.#now();
    const before = this.#lost;
    this.#lost = error;
    if (before === undefined) this.#parts.onChange();
  }

  #regain(): void {
    const { onBack, onChange } = this.#parts;
    const wasLost = this.#lost !== undefined;
    this.#suspicion = undefined;
    this.#lost = undefined;
    if (!wasLost) return;
    onChange();
    onBack();
  }
}
