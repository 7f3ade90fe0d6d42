import type { Clock } from '../../domain/ports/clock.ts';
import { sleep } from '../../lib/sleep.ts';
import type { OfferWorker } from './offer-worker.ts';

const RECHECK_MS = 5_000;
/** A cordon that passes sooner, such as that of memory which is not free yet, is not worth two calls of the broker. */
const LASTING_MS = 30_000;
const NAME = 'gpus';

export type CordonedOffersDeps = {
  readonly workers: () => readonly Pick<OfferWorker, 'isCordoned' | 'suspend' | 'resume'>[];
  /** Why GPUs get no jobs. */
  readonly why: () => string | undefined;
  readonly clock: Clock;
};

/** Takes an offer off the market while all its GPUs are cordoned: buyers must not wait for a host that takes no job. */
export class CordonedOffers {
  readonly #deps: CordonedOffersDeps;
  readonly #since = new Map<object, number>();

  constructor(deps: CordonedOffersDeps) {
    this.#deps = deps;
  }

  /** Goes on until the signal aborts. */
  async work(signal: AbortSignal): Promise<void> {
    while (await sleep(RECHECK_MS, signal)) this.check();
  }

  /** Suspends and resumes offers as their GPUs are now. */
  check(): void {
    const { clock, why, workers } = this.#deps;
    const now = clock.monotonic();
    for (const worker of workers()) {
      const since = this.#since.get(worker) ?? now;
      if (!worker.isCordoned) {
        this.#since.delete(worker);
        worker.resume(NAME);
      } else {
        this.#since.set(worker, since);
        if (now - since >= LASTING_MS) worker.suspend(NAME, why() ?? 'all its GPUs are cordoned');
      }
    }
  }
}
