import {
  BREAKER_THRESHOLD,
  isTripped,
  type JobEnd,
  QUICK_FAILURE_MS,
  type Streak,
  streakAfter,
} from '../../domain/gpu-breaker.ts';
import type { GpuCordons } from './cordons.ts';

const SECONDS = QUICK_FAILURE_MS / 1_000;
const HINT =
  'nothing has to be done: a short job of our own is tried on it until it works; should it never do, look at the driver and at Nvidia’s container toolkit';

/** Keeps jobs off a GPU on which one after the other fails as soon as it has started. */
export class CircuitBreaker {
  readonly #cordons: GpuCordons;
  readonly #onOpen: (uuid: string) => void;
  readonly #streaks = new Map<string, Streak>();

  /** `onOpen` is called with the GPU or slice that is kept out from now on. */
  constructor(cordons: GpuCordons, onOpen: (uuid: string) => void) {
    this.#cordons = cordons;
    this.#onOpen = onOpen;
  }

  /** A job that ran on a GPU or slice has ended. */
  ended(uuid: string, end: JobEnd): void {
    const streak = streakAfter(this.#streaks.get(uuid) ?? [], end);
    this.#streaks.set(uuid, streak);
    if (!isTripped(streak) || this.#cordons.get('breaker', uuid) !== undefined) return;
    this.#cordons.cordon('breaker', uuid, {
      why: `jobs of ${BREAKER_THRESHOLD} runs, one after the other, could not be started on it or failed within ${SECONDS} s`,
      hint: HINT,
    });
    this.#onOpen(uuid);
  }

  /** A canary has passed: jobs may come again. */
  close(uuid: string): void {
    this.#streaks.delete(uuid);
    this.#cordons.uncordon('breaker', uuid);
  }
}
