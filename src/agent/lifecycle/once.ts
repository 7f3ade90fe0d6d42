import type { AgentError } from '../../domain/errors.ts';
import type { Clock } from '../../domain/ports/clock.ts';
import { sleep } from '../../lib/sleep.ts';
import type { Market } from '../market/market.ts';
import { RETRY } from '../retry/policies.ts';

const CHECK_MS = 50;

export type OnceWork = {
  readonly market: Pick<Market, 'workers'>;
  /** Whether nothing runs here and nothing is pending for the broker. */
  readonly idle: () => boolean;
  /** Why what is pending will never be accepted; undefined: it may be. */
  readonly exhausted: () => AgentError | undefined;
  readonly clock: Clock;
};

/**
 * Settles when all offers have polled twice in a row with nothing to do, while nothing runs here and nothing is pending;
 * or when the signal aborts. Throws where polls go on failing, or the broker goes on refusing what is pending.
 */
export async function untilExhausted(work: OnceWork, signal: AbortSignal): Promise<void> {
  const { clock, exhausted, idle, market } = work;
  let hasPolledAgain = false;
  let reachableAt = clock.monotonic();
  while (await sleep(CHECK_MS, signal)) {
    const refused = exhausted();
    if (refused !== undefined) throw refused;
    const error = market.workers.find(({ poller }) => poller.error !== undefined)?.poller.error;
    if (error === undefined || !idle()) reachableAt = clock.monotonic();
    else if (clock.monotonic() - reachableAt > RETRY.startupOnce.giveUpAfterMs) throw error;
    if (!idle()) hasPolledAgain = false;
    else if (market.workers.every((worker) => worker.exhausted)) {
      if (hasPolledAgain) return;
      for (const worker of market.workers) worker.pollAgain();
      hasPolledAgain = true;
    }
  }
}
