import type { Clock } from '../../domain/ports/clock.ts';
import type { OutputSink } from '../../domain/ports/runtime.ts';
import { MAX_BURST_BYTES, OutputRateLimit } from './output-rate-limit.ts';

/** What ends a job from outside; `detached` ends only its lifecycle here. */
export type TerminationReason =
  | { readonly kind: 'deadline' }
  | { readonly kind: 'limit'; readonly what: string }
  | { readonly kind: 'cancelled'; readonly why: string }
  | { readonly kind: 'evicted'; readonly why: string }
  | { readonly kind: 'detached' };

/** Brings together what may end a running job from outside; the first to speak decides. */
export class JobTermination {
  readonly #controller = new AbortController();
  readonly #detach: AbortSignal;
  readonly #onDetach = (): void => this.#terminate({ kind: 'detached' });
  #timer: NodeJS.Timeout | undefined;
  #reason: TerminationReason | undefined;

  constructor(detach: AbortSignal) {
    this.#detach = detach;
    if (detach.aborted) this.#onDetach();
    else detach.addEventListener('abort', this.#onDetach, { once: true });
  }

  /** Aborts once the end is decided. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What has ended the job; undefined while nothing has. */
  get reason(): TerminationReason | undefined {
    return this.#reason;
  }

  /** Ends the job in `ms` milliseconds, or at once where that is none. Timers are monotonic. */
  deadline(ms: number): void {
    this.#timer = setTimeout(
      () => this.#terminate({ kind: 'deadline' }),
      Math.min(Math.max(ms, 0), 2 ** 31 - 1),
    );
  }

  cancel(why: string): void {
    this.#terminate({ kind: 'cancelled', why });
  }

  evict(why: string): void {
    this.#terminate({ kind: 'evicted', why });
  }

  /** Ends the job as its own failure: it broke a limit. `what` it did, in words that follow «stopped:». */
  limit(what: string): void {
    this.#terminate({ kind: 'limit', what });
  }

  /** A sink for all of the job's output, from its first byte, that ends the job where it floods. */
  watchOutput(sink: OutputSink, clock: Clock): OutputSink {
    const gate = new OutputRateLimit(() => clock.monotonic());
    return (stream, chunk) => {
      if (gate.take(chunk.length))
        this.limit(`it printed more than ${MAX_BURST_BYTES} bytes in too short a time`);
      sink(stream, chunk);
    };
  }

  /** Stops all timers. */
  close(): void {
    clearTimeout(this.#timer);
    this.#detach.removeEventListener('abort', this.#onDetach);
    this.#controller.abort();
  }

  #terminate(decided: TerminationReason): void {
    this.#reason ??= decided;
    this.#controller.abort();
  }
}
