import type { Clock, OutputSink } from '../../domain/ports.ts';
import { FloodGate, MOST_AT_ONCE_BYTES } from './output-rate-limit.ts';

/** What ends a job from outside; `detached` ends only its story here. */
export type Decided =
  | { readonly kind: 'deadline' }
  | { readonly kind: 'limit'; readonly what: string }
  | { readonly kind: 'cancelled'; readonly why: string }
  | { readonly kind: 'given-back'; readonly why: string }
  | { readonly kind: 'detached' };

/** Brings together what may end a running job from outside; the first to speak decides. */
export class EndOfJob {
  readonly #controller = new AbortController();
  readonly #detach: AbortSignal;
  readonly #onDetach = (): void => this.#decide({ kind: 'detached' });
  #timer: NodeJS.Timeout | undefined;
  #decided: Decided | undefined;

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
  get decided(): Decided | undefined {
    return this.#decided;
  }

  /** Ends the job in `ms` milliseconds, or at once where that is none. Timers are monotonic. */
  deadline(ms: number): void {
    this.#timer = setTimeout(
      () => this.#decide({ kind: 'deadline' }),
      Math.min(Math.max(ms, 0), 2 ** 31 - 1),
    );
  }

  cancel(why: string): void {
    this.#decide({ kind: 'cancelled', why });
  }

  giveBack(why: string): void {
    this.#decide({ kind: 'given-back', why });
  }

  /** Ends the job as its own failure: it broke a limit. `what` it did, in words that follow «stopped:». */
  limit(what: string): void {
    this.#decide({ kind: 'limit', what });
  }

  /** A sink for all of the job's output, from its first byte, that ends the job where it floods. */
  watchOutput(sink: OutputSink, clock: Clock): OutputSink {
    const gate = new FloodGate(() => clock.monotonic());
    return (stream, chunk) => {
      if (gate.take(chunk.length))
        this.limit(`it printed more than ${MOST_AT_ONCE_BYTES} bytes in too short a time`);
      sink(stream, chunk);
    };
  }

  /** Stops all timers. */
  close(): void {
    clearTimeout(this.#timer);
    this.#detach.removeEventListener('abort', this.#onDetach);
    this.#controller.abort();
  }

  #decide(decided: Decided): void {
    this.#decided ??= decided;
    this.#controller.abort();
  }
}
