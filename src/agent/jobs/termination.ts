import type { Clock } from '../../domain/ports/clock.ts';
import type { OutputSink } from '../../domain/ports/runtime.ts';
import type { ReleaseCause } from './job-result.ts';
import { MAX_BURST_BYTES, OutputRateLimit } from './output-rate-limit.ts';

/** How long a job has between SIGTERM and SIGKILL when its owner takes the slot back, in milliseconds. */
type OwnersGrace = { readonly graceMs: number };

/** What ends a job from outside; after `detached` its container runs on. */
export type TerminationReason =
  | { readonly kind: 'deadline' }
  | { readonly kind: 'limit'; readonly what: string }
  | { readonly kind: 'cancelled'; readonly why: string }
  /** `byOwner`: its owner wants the slot back, which says nothing against this host. */
  | { readonly kind: 'evicted'; readonly why: string; readonly byOwner?: OwnersGrace | undefined }
  | { readonly kind: 'detached' };

/** Whether the owner or this host is the cause of an eviction. */
export function evictionCause({ byOwner }: { readonly byOwner?: object | undefined }): ReleaseCause {
  return byOwner === undefined ? 'other' : 'owner';
}

/** Everything that may end a running job from outside; the first reason counts. */
export class JobTermination implements Disposable {
  readonly #controller = new AbortController();
  readonly #detach: AbortSignal;
  readonly #onDetach = (): void => this.#end({ kind: 'detached' });
  #timer: NodeJS.Timeout | undefined;
  #reason: TerminationReason | undefined;

  constructor(detach: AbortSignal) {
    this.#detach = detach;
    if (detach.aborted) this.#onDetach();
    else detach.addEventListener('abort', this.#onDetach, { once: true });
  }

  /** Aborts at the first reason. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first reason; undefined while there is none. */
  get reason(): TerminationReason | undefined {
    return this.#reason;
  }

  /** Ends the job in `ms` milliseconds, or at once where that is none; replaces the last deadline. Timers are monotonic. */
  deadline(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#end({ kind: 'deadline' }), Math.min(Math.max(ms, 0), 2 ** 31 - 1));
  }

  cancel(why: string): void {
    this.#end({ kind: 'cancelled', why });
  }

  evict(why: string, byOwner?: OwnersGrace): void {
    this.#end({ kind: 'evicted', why, byOwner });
  }

  /** Gives a job that an owner evicts this much time and no more, where that is less than before and it is not stopped yet. */
  hurry(graceMs: number): void {
    const reason = this.#reason;
    if (reason?.kind !== 'evicted' || reason.byOwner === undefined) return;
    this.#reason = { ...reason, byOwner: { graceMs: Math.min(graceMs, reason.byOwner.graceMs) } };
  }

  /** Ends the job as its own failure: it broke a limit. `what` follows “stopped: ” in its report. */
  limit(what: string): void {
    this.#end({ kind: 'limit', what });
  }

  /** A sink for all of the job's output that ends the job where it prints too much too fast. */
  watchOutput(sink: OutputSink, clock: Clock): OutputSink {
    const gate = new OutputRateLimit(() => clock.monotonic());
    return (stream, chunk) => {
      if (gate.take(chunk.length))
        this.limit(`it printed more than ${MAX_BURST_BYTES} bytes in too short a time`);
      sink(stream, chunk);
    };
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#detach.removeEventListener('abort', this.#onDetach);
    this.#controller.abort();
  }

  #end(reason: TerminationReason): void {
    this.#reason ??= reason;
    this.#controller.abort();
  }
}
