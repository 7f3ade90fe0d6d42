import type { Clock } from '../../domain/ports/clock.ts';
import type { RunningState } from '../../domain/ports/runtime.ts';
import type { JobTermination } from './termination.ts';

/**
 * A job is released once somebody has paused its container for so long in all, in milliseconds: the broker charges the
 * time. `docker commit` pauses a container, too, for a moment.
 */
const MAX_PAUSED_MS = 10_000;

/** Watches for what somebody does to a running container by hand: a paused one is given its time back, or released. */
export class PauseMonitor implements Disposable {
  readonly #end: JobTermination;
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #deadlineAt: number;
  #pausedAt: number | undefined;
  #pausedMs = 0;
  #timer: NodeJS.Timeout | undefined;

  /** `leftMs`: how long the job may still run, in milliseconds. */
  constructor(end: JobTermination, clock: Pick<Clock, 'monotonic'>, leftMs: number) {
    this.#end = end;
    this.#clock = clock;
    this.#deadlineAt = clock.monotonic() + leftMs;
    end.deadline(leftMs);
  }

  /** How long the container was seen paused, in milliseconds. */
  get pausedMs(): number {
    const now = this.#clock.monotonic();
    return this.#pausedMs + (this.#pausedAt === undefined ? 0 : now - this.#pausedAt);
  }

  see(seen: RunningState): void {
    if (seen === 'restarted') this.#end.evict('its container was started again by another program');
    else if (seen === 'paused') this.#pause();
    else this.#resume();
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #pause(): void {
    if (this.#pausedAt !== undefined) return;
    this.#pausedAt = this.#clock.monotonic();
    this.#end.deadline(Number.POSITIVE_INFINITY);
    const evict = (): void => this.#end.evict('its container was paused by another program');
    this.#timer = setTimeout(evict, Math.max(MAX_PAUSED_MS - this.#pausedMs, 0));
  }

  #resume(): void {
    if (this.#pausedAt === undefined) return;
    clearTimeout(this.#timer);
    this.#pausedMs = this.pausedMs;
    this.#pausedAt = undefined;
    this.#end.deadline(this.#deadlineAt + this.#pausedMs - this.#clock.monotonic());
  }
}
