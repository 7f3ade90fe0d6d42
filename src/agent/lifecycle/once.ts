import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { sleep } from '../../lib/sleep.ts';
import type { OfferWorker } from '../market/offer-worker.ts';
import { RETRY } from '../retry/policies.ts';

const LOOK_EVERY_MS = 50;

/** What `--once` polls at to know whether it is done. */
export type OnceWork = {
  readonly workers: () => readonly OfferWorker[];
  /** Nothing runs here and nothing is owed. */
  readonly idle: () => boolean;
  /** Why what is owed will never be taken; undefined: it may well be. */
  readonly exhausted: () => AgentError | undefined;
  readonly clock: Clock;
};

/**
 * Settles when every offer has looked afresh at the market, with nothing taken for granted, and found nothing in it
 * for us, while nothing runs here and nothing is owed; or when the signal aborts. Throws where a market stays out of
 * sight, or what is owed is refused, for so long that a person must look.
 */
export async function untilExhausted(work: OnceWork, signal: AbortSignal): Promise<void> {
  const { clock, exhausted, idle, workers } = work;
  let afresh = false;
  let inSightAt = clock.monotonic();
  while (await sleep(LOOK_EVERY_MS, signal)) {
    const refused = exhausted();
    if (refused !== undefined) throw refused;
    const error = workers().find(({ market }) => market.error !== undefined)?.market.error;
    if (error === undefined || !idle()) inSightAt = clock.monotonic();
    else if (clock.monotonic() - inSightAt > RETRY.startupOnce.giveUpAfterMs) throw error;
    if (!idle()) afresh = false;
    else if (workers().every((stand) => stand.exhausted)) {
      if (afresh) return;
      for (const stand of workers()) stand.pollAgain();
      afresh = true;
    }
  }
}
