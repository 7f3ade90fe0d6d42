import type { Runtime } from '../domain/ports.ts';
import { sleep } from '../lib/sleep.ts';

/** What ends a job from outside; `detached` ends only its story here. */
export type Decided =
  | { readonly kind: 'deadline' }
  | { readonly kind: 'limit'; readonly what: string }
  | { readonly kind: 'cancelled'; readonly why: string }
  | { readonly kind: 'given-back'; readonly why: string }
  | { readonly kind: 'detached' };

/** The disk that a job uses is looked at this often. */
const DISK_EVERY_MS = 10_000;

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

  /** Watches what the container writes, where the runtime can tell and does not limit it by itself. */
  watchDisk(runtime: Runtime, container: string, mostBytes: number): void {
    if (runtime.diskBytes === undefined) return;
    void this.#watchDisk(runtime, container, mostBytes);
  }

  async #watchDisk(runtime: Runtime, container: string, mostBytes: number): Promise<void> {
    while (await sleep(DISK_EVERY_MS, this.signal)) {
      const used = await this.#diskBytes(runtime, container);
      if (used !== undefined && used > mostBytes) {
        this.#decide({ kind: 'limit', what: `it wrote more than ${mostBytes} bytes to its disk` });
      }
    }
  }

  async #diskBytes(runtime: Runtime, container: string): Promise<number | undefined> {
    try {
      return await runtime.diskBytes?.(container, this.signal);
    } catch {
      // A look that fails says nothing of the job: the engine's troubles are told where they matter.
      return undefined;
    }
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
