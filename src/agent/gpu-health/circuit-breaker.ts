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
  'wait: canaries run on it until one passes; if none does, check the driver and the NVIDIA container toolkit';

/** Cordons a GPU on which jobs of several runs in a row fail as soon as they start. */
export class CircuitBreaker {
  readonly #cordons: GpuCordons;
  readonly #onOpen: (uuid: string) => void;
  readonly #streaks = new Map<string, Streak>();

  /** `onOpen` is called with each GPU or slice that is cordoned. */
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

  /** A canary has passed. */
  close(uuid: string): void {
    this.#streaks.delete(uuid);
    this.#cordons.uncordon('breaker', uuid);
  }
}
